-- What a partner may send from its own back office: who has opted out, its policy, what it sent where, and what that cost.
-- Instants are milliseconds since 1970: domain time of the partner, but for the "wall" ones.

-- A subscriber wants no more SMS of some classes from a group of senders; "*" is all of the partner's.
CREATE TABLE "sms_opt_out" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "partner_id" TEXT NOT NULL,
    "market" TEXT NOT NULL,
    "msisdn" TEXT NOT NULL,
    "sender_group" TEXT NOT NULL,
    -- `,chat,notice,urgent,`
    "classes" TEXT NOT NULL,
    -- keyword | api
    "source" TEXT NOT NULL,
    "created_at" BIGINT NOT NULL,
    "updated_at" BIGINT NOT NULL,
    "change_id" TEXT NOT NULL
);
CREATE UNIQUE INDEX "sms_opt_out_msisdn" ON "sms_opt_out"("partner_id", "msisdn", "sender_group");
CREATE INDEX "sms_opt_out_list" ON "sms_opt_out"("partner_id", "id");

-- What a partner has put in the place of the limits in its partner.yaml.
CREATE TABLE "sms_policy" (
    "partner_id" TEXT NOT NULL PRIMARY KEY,
    -- JSON, as the API shows it.
    "document" TEXT NOT NULL,
    "version" BIGINT NOT NULL,
    "updated_at" BIGINT NOT NULL,
    "change_id" TEXT
);

-- How many SMS were taken for a range of numbers in an hour (since 1970), for the judgement of what is unusual. Each node
-- adds what it counted every second, so a crash may lose a second of it; what is charged is in sms_charge.
CREATE TABLE "sms_traffic" (
    "partner_id" TEXT NOT NULL,
    "market" TEXT NOT NULL,
    -- The first digits of the numbers, with "+".
    "number_range" TEXT NOT NULL,
    "hour" BIGINT NOT NULL,
    "messages" BIGINT NOT NULL,
    PRIMARY KEY ("partner_id", "number_range", "hour", "market")
);
CREATE INDEX "sms_traffic_hour" ON "sms_traffic"("hour");

-- What an operator's invoice will say of an SMS, and what it has to give back: for each message the amounts add up to what
-- is owed for it. A refund's amount is negative.
CREATE TABLE "sms_charge" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "sms_id" TEXT NOT NULL,
    "partner_id" TEXT NOT NULL,
    "market" TEXT NOT NULL,
    "fallback_id" TEXT,
    "amount_minor" BIGINT NOT NULL,
    "currency" TEXT NOT NULL,
    "units" INTEGER NOT NULL,
    "unit" TEXT NOT NULL,
    -- accepted | delivered, by the agreement
    "chargeable" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    -- handset | hub-claimed | expired-by-validity | none
    "provenance" TEXT NOT NULL,
    "at" BIGINT NOT NULL
);
CREATE INDEX "sms_charge_sms" ON "sms_charge"("sms_id");
CREATE INDEX "sms_charge_list" ON "sms_charge"("partner_id", "id");
CREATE INDEX "sms_charge_month" ON "sms_charge"("partner_id", "at");

-- The network of the recipient, MCC and MNC together, as it was known when the message was taken.
ALTER TABLE "sms_message" ADD COLUMN "mcc_mnc" TEXT;
-- Of the line, when the message was taken: whoever has the number later gets nothing of it.
ALTER TABLE "sms_message" ADD COLUMN "line_epoch" BIGINT;
CREATE INDEX "sms_message_recipient" ON "sms_message"("recipient", "id");
CREATE INDEX "sms_message_list" ON "sms_message"("partner_id", "id");
CREATE INDEX "sms_message_external_id" ON "sms_message"("partner_id", "external_id") WHERE "external_id" IS NOT NULL;
CREATE INDEX "sms_message_submitted_at" ON "sms_message"("partner_id", "submitted_at") WHERE "submitted_at" IS NOT NULL;
CREATE INDEX "sms_message_held" ON "sms_message"("partner_id", "market", "waits_for") WHERE "state" = 'queued' AND "waits_for" IS NOT NULL;
-- Only claims of fallbacks are counted by their hour.
DROP INDEX "sms_message_partner_queued_at";
CREATE INDEX "sms_message_fallback_queued_at" ON "sms_message"("queued_at") WHERE "fallback_id" IS NOT NULL;

-- The gateway's own message was taken back before any device acknowledged it.
ALTER TABLE "engine_sent" ADD COLUMN "withdrawn_at" BIGINT;
-- Fallbacks of one state, newest first.
CREATE INDEX "engine_sms_fallback_state" ON "engine_sms_fallback"("partner_id", "state", "id");
