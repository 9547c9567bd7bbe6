-- CreateTable
CREATE TABLE "portal_user" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "email" TEXT NOT NULL,
    "passwordHash" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "partnerId" TEXT,
    "markets" TEXT,
    "createdAt" DATETIME NOT NULL,
    "updatedAt" DATETIME NOT NULL,
    "disabledAt" DATETIME
);

-- CreateTable
CREATE TABLE "portal_session" (
    "tokenHash" TEXT NOT NULL PRIMARY KEY,
    "userId" TEXT NOT NULL,
    "createdAt" DATETIME NOT NULL,
    "lastSeenAt" DATETIME NOT NULL,
    "expiresAt" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "audit_record" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "partnerId" TEXT,
    "at" DATETIME NOT NULL,
    "actorId" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "address" TEXT NOT NULL,
    "correlator" TEXT NOT NULL
);

-- CreateIndex
CREATE UNIQUE INDEX "portal_user_email_key" ON "portal_user"("email");

-- CreateIndex
CREATE INDEX "portal_session_userId_idx" ON "portal_session"("userId");

-- CreateIndex
CREATE INDEX "portal_session_expiresAt_idx" ON "portal_session"("expiresAt");

-- CreateIndex
CREATE INDEX "audit_record_partnerId_id_idx" ON "audit_record"("partnerId", "id");

-- CreateIndex
CREATE INDEX "audit_record_subject_idx" ON "audit_record"("subject");
