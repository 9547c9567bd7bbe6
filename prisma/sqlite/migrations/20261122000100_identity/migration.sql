-- CreateTable
CREATE TABLE "signing_key" (
    "kid" TEXT NOT NULL PRIMARY KEY,
    "publicJwk" TEXT NOT NULL,
    "wrappedKey" TEXT NOT NULL,
    "createdAt" DATETIME NOT NULL,
    "activeFrom" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "used_assertion" (
    "clientId" TEXT NOT NULL,
    "jtiHash" TEXT NOT NULL,
    "expiresAt" DATETIME NOT NULL,

    PRIMARY KEY ("clientId", "jtiHash")
);

-- CreateTable
CREATE TABLE "sandbox_client" (
    "clientId" TEXT NOT NULL PRIMARY KEY,
    "partnerId" TEXT NOT NULL,
    "secretHash" TEXT NOT NULL,
    "scopes" TEXT NOT NULL,
    "createdAt" DATETIME NOT NULL
);

-- CreateIndex
CREATE INDEX "signing_key_activeFrom_idx" ON "signing_key"("activeFrom");

-- CreateIndex
CREATE INDEX "used_assertion_expiresAt_idx" ON "used_assertion"("expiresAt");
