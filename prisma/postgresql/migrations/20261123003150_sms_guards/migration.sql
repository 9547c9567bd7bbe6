-- What the SMS of a partner have cost in a month of its own time ("2026-11"), by the agreement: the sum of its charges, kept
-- so that a budget is asked without adding them up.
CREATE TABLE "sms_spend" (
    "partner_id" TEXT NOT NULL,
    "month" TEXT NOT NULL,
    -- fallback | message
    "kind" TEXT NOT NULL,
    "currency" TEXT NOT NULL,
    "amount_minor" BIGINT NOT NULL,
    PRIMARY KEY ("partner_id", "month", "kind", "currency")
);

-- What waits for the app, by when its turn ends; what of fallbacks is on its way; who got how many fallbacks today.
CREATE INDEX "sms_message_in_app" ON "sms_message"("partner_id", "class", "created_at") WHERE "state" = 'queued' AND "waits_for" = 'in-app';
CREATE INDEX "sms_message_fallback_open" ON "sms_message"("partner_id", "mode") WHERE "fallback_id" IS NOT NULL AND "state" IN ('queued', 'submitting');
CREATE INDEX "engine_sms_fallback_claimed_msisdn" ON "engine_sms_fallback"("msisdn", "claimed_at") WHERE "claimed_at" IS NOT NULL;

-- Of two nodes that charge one message at the same moment one writes the next row, and the other looks again.
ALTER TABLE "sms_charge" ADD COLUMN "sequence" INTEGER NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX "sms_charge_sequence" ON "sms_charge"("sms_id", "sequence");
DROP INDEX "sms_charge_sms";
-- What was taken back from the app, to find what arrived there all the same.
CREATE INDEX "engine_sent_withdrawn_at" ON "engine_sent"("withdrawn_at") WHERE "withdrawn_at" IS NOT NULL;
