-- What may go now, and what waits for its next try, without reading the whole queue.
CREATE INDEX "sms_message_queued_recipient" ON "sms_message"("link_id", "recipient", "id") WHERE "state" = 'queued';
CREATE INDEX "sms_message_queued_not_before" ON "sms_message"("link_id", "not_before") WHERE "state" = 'queued';
