-- CreateTable
CREATE TABLE "signing_key" (
    "kid" TEXT NOT NULL,
    "publicJwk" TEXT NOT NULL,
    "wrappedKey" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL,
    "activeFrom" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "signing_key_pkey" PRIMARY KEY ("kid")
);

-- CreateTable
CREATE TABLE "used_assertion" (
    "clientId" TEXT NOT NULL,
    "jtiHash" TEXT NOT NULL,
    "expiresAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "used_assertion_pkey" PRIMARY KEY ("clientId","jtiHash")
);

-- CreateTable
CREATE TABLE "sandbox_client" (
    "clientId" TEXT NOT NULL,
    "partnerId" TEXT NOT NULL,
    "secretHash" TEXT NOT NULL,
    "scopes" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "sandbox_client_pkey" PRIMARY KEY ("clientId")
);

-- CreateIndex
CREATE INDEX "signing_key_activeFrom_idx" ON "signing_key"("activeFrom");

-- CreateIndex
CREATE INDEX "used_assertion_expiresAt_idx" ON "used_assertion"("expiresAt");
