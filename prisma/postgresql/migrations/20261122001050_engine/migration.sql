-- The messaging engine. Instants are milliseconds since 1970, bytes are base64url text, bodies are opaque.

-- Who holds a number, as provisioning tells. The epoch rises whenever the number may have another holder.
CREATE TABLE "engine_line" (
    "msisdn" TEXT NOT NULL PRIMARY KEY,
    "epoch" BIGINT NOT NULL,
    "partner_id" TEXT NOT NULL,
    "market" TEXT NOT NULL,
    "raised_at" BIGINT NOT NULL
);

-- Every cause of a raise, so that hearing of it again raises nothing.
CREATE TABLE "engine_line_event" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "msisdn" TEXT NOT NULL,
    "partner_id" TEXT NOT NULL,
    "market" TEXT NOT NULL,
    "cause" TEXT NOT NULL,
    "at" BIGINT NOT NULL,
    "domain_at" BIGINT NOT NULL,
    "fact_id" TEXT NOT NULL,
    "applied" INTEGER NOT NULL
);

CREATE TABLE "engine_account" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "msisdn" TEXT NOT NULL,
    "line_epoch" BIGINT NOT NULL,
    "language" TEXT NOT NULL,
    "created_at" BIGINT NOT NULL,
    "ended_at" BIGINT,
    "ended_by" TEXT
);
CREATE UNIQUE INDEX "engine_account_live_msisdn" ON "engine_account"("msisdn") WHERE "ended_at" IS NULL;
CREATE INDEX "engine_account_ended_by" ON "engine_account"("ended_by") WHERE "ended_by" IS NOT NULL;

CREATE TABLE "engine_device" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "account_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "platform" TEXT NOT NULL,
    "registration_id" INTEGER NOT NULL,
    "secret_hash" TEXT NOT NULL,
    "identity_suite" TEXT,
    "identity_body" TEXT,
    "reply_suite" TEXT,
    "reply_public_key" TEXT,
    "last_seq" BIGINT NOT NULL,
    "created_at" BIGINT NOT NULL,
    "removed_at" BIGINT,
    "removed_by" TEXT
);
CREATE INDEX "engine_device_account" ON "engine_device"("account_id");

-- A key that was handed out keeps its row without the body: uploading it again must not hand it out again.
CREATE TABLE "engine_one_time_key" (
    "device_id" TEXT NOT NULL,
    "key_id" TEXT NOT NULL,
    "position" BIGINT NOT NULL,
    "body" TEXT,
    "claimed_at" BIGINT,
    "claim_id" TEXT,
    PRIMARY KEY ("device_id", "key_id")
);
CREATE INDEX "engine_one_time_key_position" ON "engine_one_time_key"("device_id", "position");
CREATE INDEX "engine_one_time_key_unclaimed" ON "engine_one_time_key"("device_id", "position") WHERE "claimed_at" IS NULL;
CREATE INDEX "engine_one_time_key_claim" ON "engine_one_time_key"("claim_id") WHERE "claim_id" IS NOT NULL;

CREATE TABLE "engine_fallback_key" (
    "device_id" TEXT NOT NULL,
    "key_id" TEXT NOT NULL,
    "position" INTEGER NOT NULL,
    "body" TEXT NOT NULL,
    PRIMARY KEY ("device_id", "key_id")
);

-- What makes a send idempotent on (device, clientMsgId), and where the first "delivered" is decided.
CREATE TABLE "engine_sent" (
    "sender_device_id" TEXT NOT NULL,
    "client_msg_id" TEXT NOT NULL,
    "message_id" TEXT NOT NULL,
    "stored_at" BIGINT NOT NULL,
    "fallback_id" TEXT,
    "fallback_due_at" BIGINT,
    "delivered_at" BIGINT,
    "delivered_status_id" TEXT,
    PRIMARY KEY ("sender_device_id", "client_msg_id")
);
CREATE UNIQUE INDEX "engine_sent_message" ON "engine_sent"("message_id");
CREATE INDEX "engine_sent_stored_at" ON "engine_sent"("stored_at");

-- The queue of each device. A row goes when its device acknowledges it or when it expires.
CREATE TABLE "engine_envelope" (
    "device_id" TEXT NOT NULL,
    "seq" BIGINT NOT NULL,
    "id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "sender_account_id" TEXT,
    "sender_device_id" TEXT,
    "client_msg_id" TEXT,
    "ref" TEXT,
    "suite" TEXT NOT NULL,
    "body" TEXT NOT NULL,
    "sent_at" BIGINT NOT NULL,
    "expires_at" BIGINT NOT NULL,
    PRIMARY KEY ("device_id", "seq")
);
CREATE UNIQUE INDEX "engine_envelope_id" ON "engine_envelope"("device_id", "id");
CREATE INDEX "engine_envelope_expires_at" ON "engine_envelope"("expires_at");

-- One row per message that may go by SMS: armed -> cancelled | claimed -> submitted -> delivered | failed | unknown.
-- "sealed" is the text as the sender sealed it, and NULL as soon as it is of no more use.
-- "due_at" is the domain time of the partner, "expires_at" the wall clock.
CREATE TABLE "engine_sms_fallback" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "message_id" TEXT NOT NULL,
    "client_msg_id" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "reason" TEXT,
    "mode" TEXT NOT NULL,
    "class" TEXT NOT NULL,
    "ref" TEXT NOT NULL,
    "partner_id" TEXT NOT NULL,
    "market" TEXT NOT NULL,
    "subscription_id" TEXT,
    "msisdn" TEXT NOT NULL,
    "line_epoch" BIGINT NOT NULL,
    "sender_account_id" TEXT NOT NULL,
    "sender_device_id" TEXT NOT NULL,
    "sender_name" TEXT,
    "language" TEXT,
    "sealed" TEXT,
    "sms_id" TEXT,
    "segments" INTEGER,
    "price_minor" BIGINT,
    "price_currency" TEXT,
    "armed_at" BIGINT NOT NULL,
    "due_at" BIGINT NOT NULL,
    "expires_at" BIGINT NOT NULL,
    "claimed_at" BIGINT,
    "submitted_at" BIGINT,
    "settled_at" BIGINT,
    "updated_at" BIGINT NOT NULL,
    "fact_id" TEXT NOT NULL
);
CREATE UNIQUE INDEX "engine_sms_fallback_message" ON "engine_sms_fallback"("message_id");
CREATE INDEX "engine_sms_fallback_due" ON "engine_sms_fallback"("partner_id", "due_at") WHERE "state" = 'armed';
CREATE INDEX "engine_sms_fallback_armed_msisdn" ON "engine_sms_fallback"("msisdn") WHERE "state" = 'armed';
CREATE INDEX "engine_sms_fallback_claimed" ON "engine_sms_fallback"("claimed_at") WHERE "state" = 'claimed';
CREATE INDEX "engine_sms_fallback_armed_expiry" ON "engine_sms_fallback"("expires_at") WHERE "state" = 'armed';
CREATE INDEX "engine_sms_fallback_sealed_expiry" ON "engine_sms_fallback"("expires_at") WHERE "sealed" IS NOT NULL;
CREATE INDEX "engine_sms_fallback_armed_at" ON "engine_sms_fallback"("partner_id", "market", "armed_at");
CREATE INDEX "engine_sms_fallback_partner" ON "engine_sms_fallback"("partner_id", "id");
