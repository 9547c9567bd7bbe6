-- What operators' ESMEs submitted at our own listener: a row for each message_id that was answered, and for each destination
-- of a submit_multi. "wrapped" holds a part of a long message, encrypted under the master key, until the message is queued.
-- "accepted_at" and "ended_at" are the domain time of the partner, "heard_at" is the wall clock.
CREATE TABLE "sms_esme_submit" (
    "message_id" TEXT NOT NULL,
    -- Among the destinations of a submit_multi, from 0.
    "place" INTEGER NOT NULL,
    "system_id" TEXT NOT NULL,
    "partner_id" TEXT NOT NULL,
    -- The SMS that it became; for a part, as soon as every part of the message is there.
    "sms_id" TEXT,
    "service_type" TEXT NOT NULL,
    "source_ton" INTEGER NOT NULL,
    "source_npi" INTEGER NOT NULL,
    "source" TEXT NOT NULL,
    "destination_ton" INTEGER NOT NULL,
    "destination_npi" INTEGER NOT NULL,
    "destination" TEXT NOT NULL,
    "registered_delivery" INTEGER NOT NULL,
    -- How the message is to go, as the part asked for it: JSON.
    "wish" TEXT,
    "group_key" TEXT,
    "number" INTEGER,
    "total" INTEGER,
    "content_hash" TEXT,
    "wrapped" TEXT,
    -- Why it became no SMS: incomplete, cancelled, or what refused it.
    "ended" TEXT,
    "accepted_at" BIGINT NOT NULL,
    "ended_at" BIGINT,
    -- 1 while its ESME has not been told how it ended.
    "untold" INTEGER NOT NULL,
    "heard_at" BIGINT NOT NULL,
    PRIMARY KEY ("message_id", "place")
);
CREATE UNIQUE INDEX "sms_esme_submit_part" ON "sms_esme_submit"("group_key", "number") WHERE "sms_id" IS NULL AND "ended" IS NULL AND "group_key" IS NOT NULL;
CREATE INDEX "sms_esme_submit_sms" ON "sms_esme_submit"("sms_id") WHERE "sms_id" IS NOT NULL;
CREATE INDEX "sms_esme_submit_waiting" ON "sms_esme_submit"("heard_at") WHERE "wrapped" IS NOT NULL;
CREATE INDEX "sms_esme_submit_untold" ON "sms_esme_submit"("message_id") WHERE "untold" = 1;
CREATE INDEX "sms_esme_submit_addresses" ON "sms_esme_submit"("system_id", "source", "destination");
CREATE INDEX "sms_esme_submit_heard_at" ON "sms_esme_submit"("heard_at");

-- Receipts and messages from handsets on their way to an operator's ESME. waiting -> done | failed. "fields" says all but the
-- text of a message, which is in "wrapped"; both go as soon as the ESME has taken it.
CREATE TABLE "sms_esme_delivery" (
    "position" BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- What it tells, so that hearing of it again adds nothing.
    "cause" TEXT NOT NULL UNIQUE,
    "system_id" TEXT NOT NULL,
    "partner_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "fields" TEXT NOT NULL,
    "wrapped" TEXT,
    "state" TEXT NOT NULL,
    "attempts" INTEGER NOT NULL,
    "command_status" TEXT,
    "not_before" BIGINT NOT NULL,
    "heard_at" BIGINT NOT NULL
);
CREATE INDEX "sms_esme_delivery_waiting" ON "sms_esme_delivery"("system_id", "not_before", "position") WHERE "state" = 'waiting';
CREATE INDEX "sms_esme_delivery_heard_at" ON "sms_esme_delivery"("heard_at");
