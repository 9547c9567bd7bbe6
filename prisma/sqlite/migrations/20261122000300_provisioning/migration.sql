-- CreateTable
CREATE TABLE "plan" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "partnerId" TEXT NOT NULL,
    "market" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "createdAt" DATETIME NOT NULL,
    "updatedAt" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "plan_version" (
    "planId" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "document" TEXT NOT NULL,
    "effectiveFrom" DATETIME NOT NULL,
    "publishedAt" DATETIME,

    PRIMARY KEY ("planId", "version")
);

-- CreateTable
CREATE TABLE "sim_batch" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "partnerId" TEXT NOT NULL,
    "market" TEXT NOT NULL,
    "externalId" TEXT,
    "total" INTEGER NOT NULL,
    "succeeded" INTEGER NOT NULL,
    "failed" INTEGER NOT NULL,
    "createdAt" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "sim" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "partnerId" TEXT NOT NULL,
    "batchId" TEXT NOT NULL,
    "market" TEXT NOT NULL,
    "iccid" TEXT NOT NULL,
    "imsi" TEXT,
    "state" TEXT NOT NULL,
    "subscriptionId" TEXT,
    "asOf" DATETIME NOT NULL,
    "lastConfirmedAt" DATETIME,
    "createdAt" DATETIME NOT NULL,
    "updatedAt" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "order" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "partnerId" TEXT NOT NULL,
    "market" TEXT NOT NULL,
    "externalId" TEXT,
    "state" TEXT NOT NULL,
    "requestedStartDate" DATETIME,
    "correlator" TEXT,
    "createdAt" DATETIME NOT NULL,
    "updatedAt" DATETIME NOT NULL,
    "completedAt" DATETIME
);

-- CreateTable
CREATE TABLE "order_item" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "orderId" TEXT NOT NULL,
    "position" INTEGER NOT NULL,
    "action" TEXT NOT NULL,
    "planId" TEXT NOT NULL,
    "planVersion" INTEGER NOT NULL,
    "simId" TEXT NOT NULL,
    "iccid" TEXT NOT NULL,
    "msisdn" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "subscriptionId" TEXT,
    "taskId" TEXT,
    "reason" TEXT
);

-- CreateTable
CREATE TABLE "task" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "partnerId" TEXT NOT NULL,
    "market" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "orderId" TEXT NOT NULL,
    "orderItemId" TEXT NOT NULL,
    "subscriptionId" TEXT NOT NULL,
    "iccid" TEXT NOT NULL,
    "msisdn" TEXT NOT NULL,
    "dueAt" DATETIME NOT NULL,
    "decidedAt" DATETIME,
    "operatorReference" TEXT,
    "reason" TEXT,
    "createdAt" DATETIME NOT NULL,
    "updatedAt" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "subscription" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "partnerId" TEXT NOT NULL,
    "market" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "msisdn" TEXT NOT NULL,
    "liveMsisdn" TEXT,
    "iccid" TEXT NOT NULL,
    "simId" TEXT NOT NULL,
    "planId" TEXT NOT NULL,
    "planVersion" INTEGER NOT NULL,
    "orderId" TEXT NOT NULL,
    "authority" TEXT NOT NULL,
    "asOf" DATETIME NOT NULL,
    "lastConfirmedAt" DATETIME,
    "activatedAt" DATETIME,
    "endedAt" DATETIME,
    "createdAt" DATETIME NOT NULL,
    "updatedAt" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "line_event" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "partnerId" TEXT NOT NULL,
    "market" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "msisdn" TEXT NOT NULL,
    "subscriptionId" TEXT,
    "occurredAt" DATETIME NOT NULL,
    "createdAt" DATETIME NOT NULL
);

-- CreateIndex
CREATE INDEX "plan_partnerId_id_idx" ON "plan"("partnerId", "id");

-- CreateIndex
CREATE UNIQUE INDEX "plan_partnerId_market_code_key" ON "plan"("partnerId", "market", "code");

-- CreateIndex
CREATE INDEX "sim_batch_partnerId_id_idx" ON "sim_batch"("partnerId", "id");

-- CreateIndex
CREATE UNIQUE INDEX "sim_iccid_key" ON "sim"("iccid");

-- CreateIndex
CREATE UNIQUE INDEX "sim_imsi_key" ON "sim"("imsi");

-- CreateIndex
CREATE INDEX "sim_partnerId_id_idx" ON "sim"("partnerId", "id");

-- CreateIndex
CREATE INDEX "order_partnerId_id_idx" ON "order"("partnerId", "id");

-- CreateIndex
CREATE INDEX "order_state_idx" ON "order"("state");

-- CreateIndex
CREATE UNIQUE INDEX "order_item_orderId_position_key" ON "order_item"("orderId", "position");

-- CreateIndex
CREATE INDEX "task_partnerId_status_id_idx" ON "task"("partnerId", "status", "id");

-- CreateIndex
CREATE INDEX "task_status_dueAt_idx" ON "task"("status", "dueAt");

-- CreateIndex
CREATE UNIQUE INDEX "subscription_liveMsisdn_key" ON "subscription"("liveMsisdn");

-- CreateIndex
CREATE INDEX "subscription_partnerId_id_idx" ON "subscription"("partnerId", "id");

-- CreateIndex
CREATE INDEX "line_event_partnerId_id_idx" ON "line_event"("partnerId", "id");
