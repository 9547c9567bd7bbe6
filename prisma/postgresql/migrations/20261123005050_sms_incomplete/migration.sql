-- What a message from a handset is: text, or binary (octets for a program, kept as they came), and how many of its parts never came.
ALTER TABLE "sms_inbound" ADD COLUMN "content" TEXT NOT NULL DEFAULT 'text';
ALTER TABLE "sms_inbound" ADD COLUMN "missing_parts" INTEGER NOT NULL DEFAULT 0;

-- Whose a part is, so that what came is delivered when the rest does not come.
ALTER TABLE "sms_inbound_part" ADD COLUMN "partner_id" TEXT;
ALTER TABLE "sms_inbound_part" ADD COLUMN "link_id" TEXT;
ALTER TABLE "sms_inbound_part" ADD COLUMN "sender" TEXT;
ALTER TABLE "sms_inbound_part" ADD COLUMN "recipient" TEXT;
CREATE INDEX "sms_inbound_part_waiting" ON "sms_inbound_part"("heard_at") WHERE "inbound_id" IS NULL;
