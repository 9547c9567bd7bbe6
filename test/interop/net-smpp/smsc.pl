#!/usr/bin/perl
# An SMSC over Net::SMPP for one ESME: it takes each submit, sends its receipt, and answers "call me" with a message from the
# handset. What it is sent is a line of JSON each on standard output; the first line is the port that it listens on.
use strict;
use warnings;
use JSON::PP;
use Net::SMPP;

my $json = JSON::PP->new->canonical->latin1;
my $id = 4_000_000_000;
$| = 1;

my $listener = Net::SMPP->new_listen('127.0.0.1', port => 0, smpp_version => 0x34, timeout => 60) or die "cannot listen: $!";
print $json->encode({ port => $listener->sockport }), "\n";

sub tell_of {
    my ($smpp, $submit, $message_id) = @_;
    my $text = sprintf 'id:%s sub:001 dlvrd:001 submit date:2611221000 done date:2611221001 stat:DELIVRD err:000 text:', $message_id;
    $smpp->deliver_sm(async => 1, esm_class => 0x04, short_message => $text,
        source_addr_ton => 1, source_addr_npi => 1, source_addr => $submit->{destination_addr},
        dest_addr_ton => $submit->{source_addr_ton}, dest_addr_npi => $submit->{source_addr_npi},
        destination_addr => $submit->{source_addr});
}

sub call_back {
    my ($smpp, $submit) = @_;
    $smpp->deliver_sm(async => 1, short_message => 'called', source_addr_ton => 1, source_addr_npi => 1,
        source_addr => $submit->{destination_addr}, dest_addr_ton => 1, dest_addr_npi => 1, destination_addr => $submit->{source_addr});
}

while (1) {
    my $smpp = $listener->accept or next;
    $smpp->set_version(0x34);
    while (my $pdu = $smpp->read_pdu()) {
        my ($command, $seq) = ($pdu->{cmd}, $pdu->{seq});
        my %shown = map { $_ => $pdu->{$_} } grep { $_ ne 'data' && !/^\d+$/ } keys %$pdu;
        $shown{short_message} = unpack('H*', $shown{short_message}) if defined $shown{short_message};
        print $json->encode(\%shown), "\n";
        if ($command == 0x09) { $smpp->bind_transceiver_resp(seq => $seq, system_id => 'perl') }
        elsif ($command == 0x15) { $smpp->enquire_link_resp(seq => $seq) }
        elsif ($command == 0x04) {
            my $message_id = ++$id;
            # In hexadecimal here and in decimal in the receipt, as many do.
            $smpp->submit_sm_resp(seq => $seq, message_id => sprintf('%x', $message_id));
            tell_of($smpp, $pdu, $message_id);
            call_back($smpp, $pdu) if ($pdu->{short_message} // '') eq 'call me';
        }
        elsif ($command == 0x06) {
            $smpp->unbind_resp(seq => $seq);
            last;
        }
    }
    $smpp->close;
}
