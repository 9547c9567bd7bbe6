-- CreateTable
CREATE TABLE "sandbox_clock" (
    "partnerId" TEXT NOT NULL,
    "offsetSeconds" INTEGER NOT NULL,
    "updatedAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "sandbox_clock_pkey" PRIMARY KEY ("partnerId")
);

-- CreateTable
CREATE TABLE "number_verification_token" (
    "tokenHash" TEXT NOT NULL,
    "partnerId" TEXT NOT NULL,
    "msisdn" TEXT NOT NULL,
    "expiresAt" TIMESTAMP(3) NOT NULL,
    "usedAt" TIMESTAMP(3),

    CONSTRAINT "number_verification_token_pkey" PRIMARY KEY ("tokenHash")
);

-- CreateIndex
CREATE INDEX "number_verification_token_expiresAt_idx" ON "number_verification_token"("expiresAt");
