-- CreateTable
CREATE TABLE "traffic_list_version" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "trafficClass" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "status" TEXT NOT NULL,
    "rules" TEXT NOT NULL,
    "dependencies" TEXT NOT NULL,
    "sha256" TEXT NOT NULL,
    "publishedAt" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "traffic_list_release" (
    "partnerId" TEXT NOT NULL,
    "listId" TEXT NOT NULL,
    "effectiveAt" DATETIME NOT NULL,
    "validUntil" DATETIME NOT NULL,
    "signature" TEXT NOT NULL,
    "createdAt" DATETIME NOT NULL,

    PRIMARY KEY ("partnerId", "listId")
);

-- CreateTable
CREATE TABLE "traffic_list_acknowledgement" (
    "partnerId" TEXT NOT NULL,
    "trafficClass" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "deployedAt" DATETIME NOT NULL,
    "note" TEXT,
    "acknowledgedAt" DATETIME NOT NULL,

    PRIMARY KEY ("partnerId", "trafficClass")
);

-- CreateTable
CREATE TABLE "entitlement" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "partnerId" TEXT NOT NULL,
    "market" TEXT NOT NULL,
    "subscriptionId" TEXT NOT NULL,
    "trafficClass" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "sponsorId" TEXT,
    "aspId" TEXT,
    "capBytes" BIGINT,
    "capPeriod" TEXT,
    "onExhaust" TEXT NOT NULL,
    "onExhaustBitsPerSecond" BIGINT,
    "ratingGroup" BIGINT NOT NULL,
    "serviceId" BIGINT NOT NULL,
    "startsAt" DATETIME NOT NULL,
    "endsAt" DATETIME,
    "reason" TEXT,
    "planId" TEXT,
    "createdAt" DATETIME NOT NULL,
    "updatedAt" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "entitlement_counter" (
    "partnerId" TEXT NOT NULL PRIMARY KEY,
    "position" BIGINT NOT NULL
);

-- CreateTable
CREATE TABLE "entitlement_change" (
    "partnerId" TEXT NOT NULL,
    "position" BIGINT NOT NULL,
    "market" TEXT NOT NULL,
    "entitlementId" TEXT NOT NULL,
    "change" TEXT NOT NULL,
    "at" DATETIME NOT NULL,
    "entitlement" TEXT NOT NULL,

    PRIMARY KEY ("partnerId", "position")
);

-- CreateIndex
CREATE UNIQUE INDEX "traffic_list_version_trafficClass_version_key" ON "traffic_list_version"("trafficClass", "version");

-- CreateIndex
CREATE INDEX "entitlement_partnerId_id_idx" ON "entitlement"("partnerId", "id");

-- CreateIndex
CREATE INDEX "entitlement_partnerId_status_startsAt_idx" ON "entitlement"("partnerId", "status", "startsAt");

-- CreateIndex
CREATE INDEX "entitlement_partnerId_status_endsAt_idx" ON "entitlement"("partnerId", "status", "endsAt");

-- CreateIndex
CREATE UNIQUE INDEX "entitlement_subscriptionId_trafficClass_key" ON "entitlement"("subscriptionId", "trafficClass");
