#!/usr/bin/perl
# An ESME over Net::SMPP that does what it is told: a line of JSON on standard input is a request, and a line of JSON on
# standard output is what the SMSC answered.
#
#   {"ask": "submit_sm", "fields": {...}}   sends it and waits for the answer; short_message is hexadecimal
#   {"take": "deliver_sm"}                  waits for one and answers it
#
# Arguments: port, system_id, password, bind.
use strict;
use warnings;
use JSON::PP;
use Net::SMPP;

my ($port, $system_id, $password, $bind) = @ARGV;
my $json = JSON::PP->new->canonical->latin1;
my @delivered;
$| = 1;

sub show {
    my ($pdu) = @_;
    my %shown = map { $_ => $pdu->{$_} } grep { $_ ne 'data' && !/^\d+$/ } keys %$pdu;
    $shown{short_message} = unpack('H*', $shown{short_message}) if defined $shown{short_message};
    print $json->encode(\%shown), "\n";
}

sub take {
    my ($smpp, $pdu) = @_;
    $smpp->deliver_sm_resp(seq => $pdu->{seq}, message_id => '');
    push @delivered, $pdu;
}

my $smpp = Net::SMPP->new_connect('127.0.0.1', port => $port, smpp_version => 0x34, interface_version => 0x34,
    system_id => $system_id, password => $password, system_type => '',
    handlers => { 0x05 => \&take, 0x15 => \&Net::SMPP::handle_enquire_link }) or die "no connection: $!";
show($bind eq 'transmitter' ? $smpp->bind_transmitter() : $bind eq 'receiver' ? $smpp->bind_receiver() : $smpp->bind_transceiver());

while (my $line = <STDIN>) {
    my $order = $json->decode($line);
    if ($order->{ask}) {
        my %fields = %{ $order->{fields} || {} };
        for my $octets (grep { exists $fields{$_} } qw(short_message message_payload)) {
            $fields{$octets} = pack('H*', $fields{$octets});
        }
        my $command = $order->{ask};
        show($smpp->$command(%fields) || { error => 'no answer' });
        next;
    }
    while (!@delivered) {
        my $pdu = $smpp->read_pdu() or die 'the connection ended';
        if ($pdu->{cmd} == 0x05) { take($smpp, $pdu) }
        elsif ($pdu->{cmd} == 0x15) { $smpp->enquire_link_resp(seq => $pdu->{seq}) }
    }
    show(shift @delivered);
}
