-- AlterTable
ALTER TABLE "line_event" ADD COLUMN "note" TEXT;

-- CreateIndex
CREATE INDEX "order_item_msisdn_state_idx" ON "order_item"("msisdn", "state");

-- CreateIndex
CREATE INDEX "subscription_msisdn_idx" ON "subscription"("msisdn");

-- CreateIndex
CREATE INDEX "subscription_iccid_idx" ON "subscription"("iccid");

-- CreateIndex
CREATE INDEX "subscription_simId_idx" ON "subscription"("simId");
