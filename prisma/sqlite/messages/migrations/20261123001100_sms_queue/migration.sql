-- A partner's own SMS. Its text is in "wrapped", encrypted under the master key for this row alone, until the SMSC has it
-- or it will not be sent any more.
ALTER TABLE "sms_message" ADD COLUMN "wrapped" TEXT;
ALTER TABLE "sms_message" ADD COLUMN "client_id" TEXT;
-- The partner's own name for it.
ALTER TABLE "sms_message" ADD COLUMN "external_id" TEXT;
-- Why "not_before" lies ahead: quiet-hours, budget or next-try.
ALTER TABLE "sms_message" ADD COLUMN "waits_for" TEXT;

-- What was asked for under an Idempotency-Key, by the call that was first; kept for 72 hours of the wall clock.
CREATE TABLE "sms_idempotency" (
    "partner_id" TEXT NOT NULL,
    "scope" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "fingerprint" TEXT NOT NULL,
    -- Of the first of its messages; it names the call.
    "sms_id" TEXT NOT NULL,
    "answer" TEXT NOT NULL,
    "expires_at" BIGINT NOT NULL,
    PRIMARY KEY ("partner_id", "scope", "key")
);
CREATE INDEX "sms_idempotency_expires_at" ON "sms_idempotency"("expires_at");

-- Links that the operator, or whoever runs the service, has paused. Every node holds to it.
CREATE TABLE "sms_link_pause" (
    "link_key" TEXT NOT NULL PRIMARY KEY,
    "reason" TEXT,
    "paused_at" BIGINT NOT NULL
);
