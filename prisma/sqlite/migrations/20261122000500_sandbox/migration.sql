-- CreateTable
CREATE TABLE "sandbox_clock" (
    "partnerId" TEXT NOT NULL PRIMARY KEY,
    "offsetSeconds" INTEGER NOT NULL,
    "updatedAt" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "number_verification_token" (
    "tokenHash" TEXT NOT NULL PRIMARY KEY,
    "partnerId" TEXT NOT NULL,
    "msisdn" TEXT NOT NULL,
    "expiresAt" DATETIME NOT NULL,
    "usedAt" DATETIME
);

-- CreateIndex
CREATE INDEX "number_verification_token_expiresAt_idx" ON "number_verification_token"("expiresAt");
