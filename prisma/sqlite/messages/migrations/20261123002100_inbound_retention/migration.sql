-- Inbound SMS that ended are forgotten by their age.
CREATE INDEX "sms_inbound_ended" ON "sms_inbound"("heard_at") WHERE "state" <> 'received';
