-- The SMS bridge. No column ever holds the text of a message, but for the "wrapped" ones, which are encrypted under the
-- master key and emptied as soon as the text has been sealed to its reader.
-- Instants are milliseconds since 1970. What people read (created_at, submitted_at, final_at, updated_at, received_at)
-- is the domain time of the partner; what work is timed by (queued_at, expires_at, not_before, receipt_due_at, heard_at)
-- is the wall clock.

-- One SMS to a handset. queued -> submitting -> submitted -> delivered | undelivered | expired | rejected | unknown.
CREATE TABLE "sms_message" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "partner_id" TEXT NOT NULL,
    "market" TEXT NOT NULL,
    "link_id" TEXT NOT NULL,
    "fallback_id" TEXT,
    "mode" TEXT NOT NULL,
    "class" TEXT NOT NULL,
    "priority" INTEGER NOT NULL,
    "subscription_id" TEXT,
    "recipient" TEXT NOT NULL,
    "sender" TEXT NOT NULL,
    "takes_reply" INTEGER NOT NULL,
    "correlator" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "reason" TEXT,
    "encoding" TEXT,
    -- As charged, and as sent: one PDU may carry several segments.
    "segment_count" INTEGER,
    "pdu_count" INTEGER,
    "reference" INTEGER NOT NULL,
    "attempts" INTEGER NOT NULL,
    "resends" INTEGER NOT NULL,
    "price_minor" BIGINT,
    "price_currency" TEXT,
    "created_at" BIGINT NOT NULL,
    "submitted_at" BIGINT,
    "final_at" BIGINT,
    "updated_at" BIGINT NOT NULL,
    "queued_at" BIGINT NOT NULL,
    "expires_at" BIGINT NOT NULL,
    "not_before" BIGINT NOT NULL,
    "receipt_due_at" BIGINT,
    -- 1 while the engine has not been told of the state.
    "untold" INTEGER NOT NULL,
    "version" BIGINT NOT NULL,
    "change_id" TEXT
);
CREATE UNIQUE INDEX "sms_message_fallback" ON "sms_message"("fallback_id");
CREATE INDEX "sms_message_queued" ON "sms_message"("link_id", "priority", "id") WHERE "state" = 'queued';
CREATE INDEX "sms_message_submitting" ON "sms_message"("id") WHERE "state" = 'submitting';
CREATE INDEX "sms_message_receipt_due" ON "sms_message"("receipt_due_at") WHERE "state" = 'submitted';
CREATE INDEX "sms_message_untold" ON "sms_message"("id") WHERE "untold" = 1;
CREATE INDEX "sms_message_open" ON "sms_message"("link_id", "recipient", "sender") WHERE "state" IN ('submitting', 'unknown');
CREATE INDEX "sms_message_partner_queued_at" ON "sms_message"("partner_id", "queued_at");

-- What became of each part at the SMSC, written as its answer came. A part without a row, or with one of an earlier
-- attempt than the message's, has had no answer in this attempt.
CREATE TABLE "sms_part" (
    "sms_id" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "attempt" INTEGER NOT NULL,
    "outcome" TEXT NOT NULL,
    "link_id" TEXT NOT NULL,
    "bind_id" TEXT NOT NULL,
    "smsc_message_id" TEXT,
    "smsc_key" TEXT,
    "command_status" TEXT,
    "at" BIGINT NOT NULL,
    PRIMARY KEY ("sms_id", "number")
);
CREATE INDEX "sms_part_smsc_key" ON "sms_part"("link_id", "smsc_key") WHERE "smsc_key" IS NOT NULL;

-- Every delivery receipt, once. Without an "sms_id" it is held until it can be matched.
CREATE TABLE "sms_receipt" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "link_id" TEXT NOT NULL,
    "smsc_message_ids" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "error_code" TEXT,
    "done_date" TEXT,
    "recipient" TEXT NOT NULL,
    "sender" TEXT NOT NULL,
    "sms_id" TEXT,
    "number" INTEGER,
    "received_at" BIGINT NOT NULL,
    "heard_at" BIGINT NOT NULL
);
CREATE INDEX "sms_receipt_sms" ON "sms_receipt"("sms_id") WHERE "sms_id" IS NOT NULL;
CREATE INDEX "sms_receipt_held" ON "sms_receipt"("link_id", "recipient", "heard_at") WHERE "sms_id" IS NULL;

-- A receipt's message ids in comparable form, to find held receipts by.
CREATE TABLE "sms_receipt_key" (
    "link_id" TEXT NOT NULL,
    "smsc_key" TEXT NOT NULL,
    "receipt_id" TEXT NOT NULL,
    PRIMARY KEY ("link_id", "smsc_key", "receipt_id")
);

-- Which conversation an answer to a sender belongs to. A row is never given to another conversation of that recipient:
-- phones keep threads for years.
CREATE TABLE "sms_slot" (
    "recipient" TEXT NOT NULL,
    "sender" TEXT NOT NULL,
    "sender_account_id" TEXT NOT NULL,
    "sender_device_id" TEXT NOT NULL,
    "client_msg_id" TEXT NOT NULL,
    "fallback_id" TEXT NOT NULL,
    "sms_id" TEXT NOT NULL,
    "line_epoch" BIGINT NOT NULL,
    "partner_id" TEXT NOT NULL,
    "market" TEXT NOT NULL,
    "subscription_id" TEXT,
    "first_used_at" BIGINT NOT NULL,
    "last_used_at" BIGINT NOT NULL,
    PRIMARY KEY ("recipient", "sender")
);

-- An SMS from a handset. received -> routed | unmatched. "wrapped" holds its text, encrypted, until it is routed.
CREATE TABLE "sms_inbound" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "partner_id" TEXT NOT NULL,
    "link_id" TEXT NOT NULL,
    "sender" TEXT NOT NULL,
    "recipient" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "reason" TEXT,
    "wrapped" TEXT,
    "content_hash" TEXT NOT NULL,
    "session_id" TEXT NOT NULL,
    "received_at" BIGINT NOT NULL,
    "heard_at" BIGINT NOT NULL
);
CREATE INDEX "sms_inbound_content_hash" ON "sms_inbound"("content_hash", "heard_at");
CREATE INDEX "sms_inbound_received" ON "sms_inbound"("id") WHERE "state" = 'received';

-- Parts of a long SMS from a handset. The row stays without its text for a while after they were joined, so that a part
-- which is delivered again is recognised.
CREATE TABLE "sms_inbound_part" (
    "group_key" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "total" INTEGER NOT NULL,
    "wrapped" TEXT,
    "content_hash" TEXT NOT NULL,
    "session_id" TEXT NOT NULL,
    "inbound_id" TEXT,
    "heard_at" BIGINT NOT NULL,
    PRIMARY KEY ("group_key", "number")
);
CREATE INDEX "sms_inbound_part_heard_at" ON "sms_inbound_part"("heard_at");

-- Secrets of the bridge's own, wrapped under the master key.
CREATE TABLE "sms_secret" (
    "name" TEXT NOT NULL PRIMARY KEY,
    "wrapped" TEXT NOT NULL
);
