-- CreateTable
CREATE TABLE "event_counter" (
    "partnerId" TEXT NOT NULL PRIMARY KEY,
    "position" BIGINT NOT NULL
);

-- CreateTable
CREATE TABLE "event_subject" (
    "partnerId" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "sequence" BIGINT NOT NULL,

    PRIMARY KEY ("partnerId", "subject")
);

-- CreateTable
CREATE TABLE "event" (
    "partnerId" TEXT NOT NULL,
    "position" BIGINT NOT NULL,
    "id" TEXT NOT NULL,
    "market" TEXT,
    "type" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "subscriptionId" TEXT,
    "at" DATETIME NOT NULL,
    "recordedAt" DATETIME NOT NULL,
    "summary" TEXT NOT NULL,
    "facts" TEXT NOT NULL,
    "price" TEXT,
    "cloudEvent" TEXT NOT NULL,

    PRIMARY KEY ("partnerId", "position")
);

-- CreateTable
CREATE TABLE "event_subscription" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "partnerId" TEXT NOT NULL,
    "markets" TEXT,
    "sink" TEXT NOT NULL,
    "types" TEXT NOT NULL,
    "scheme" TEXT NOT NULL,
    "secret" TEXT,
    "keyId" TEXT,
    "description" TEXT,
    "status" TEXT NOT NULL,
    "statusReason" TEXT,
    "consecutiveFailures" INTEGER NOT NULL,
    "failingSince" DATETIME,
    "pausedUntil" DATETIME,
    "version" INTEGER NOT NULL,
    "createdAt" DATETIME NOT NULL,
    "updatedAt" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "webhook_delivery" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "partnerId" TEXT NOT NULL,
    "eventSubscriptionId" TEXT NOT NULL,
    "eventId" TEXT NOT NULL,
    "position" BIGINT NOT NULL,
    "status" TEXT NOT NULL,
    "attempts" INTEGER NOT NULL,
    "nextAttemptAt" DATETIME NOT NULL,
    "leaseOwner" TEXT,
    "leaseToken" TEXT,
    "createdAt" DATETIME NOT NULL,
    "settledAt" DATETIME
);

-- CreateTable
CREATE TABLE "webhook_attempt" (
    "deliveryId" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "at" DATETIME NOT NULL,
    "durationMs" INTEGER NOT NULL,
    "outcome" TEXT NOT NULL,
    "httpStatus" INTEGER,

    PRIMARY KEY ("deliveryId", "number")
);

-- CreateTable
CREATE TABLE "webhook_key" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "partnerId" TEXT NOT NULL,
    "publicKey" TEXT NOT NULL,
    "privateKey" TEXT NOT NULL,
    "createdAt" DATETIME NOT NULL
);

-- CreateIndex
CREATE UNIQUE INDEX "event_id_key" ON "event"("id");

-- CreateIndex
CREATE INDEX "event_partnerId_subscriptionId_at_position_idx" ON "event"("partnerId", "subscriptionId", "at", "position");

-- CreateIndex
CREATE INDEX "event_recordedAt_idx" ON "event"("recordedAt");

-- CreateIndex
CREATE INDEX "event_subscription_partnerId_id_idx" ON "event_subscription"("partnerId", "id");

-- CreateIndex
CREATE INDEX "webhook_delivery_status_eventSubscriptionId_nextAttemptAt_idx" ON "webhook_delivery"("status", "eventSubscriptionId", "nextAttemptAt");

-- CreateIndex
CREATE INDEX "webhook_delivery_leaseOwner_idx" ON "webhook_delivery"("leaseOwner");

-- CreateIndex
CREATE UNIQUE INDEX "webhook_delivery_eventSubscriptionId_eventId_key" ON "webhook_delivery"("eventSubscriptionId", "eventId");

-- CreateIndex
CREATE UNIQUE INDEX "webhook_key_partnerId_key" ON "webhook_key"("partnerId");
