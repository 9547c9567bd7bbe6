-- What a commit in messages.db still has to carry over to gateway.db (the event log). Its consumer is idempotent by id.
CREATE TABLE "outbox" (
    "position" INTEGER PRIMARY KEY AUTOINCREMENT,
    "id" TEXT NOT NULL UNIQUE,
    "topic" TEXT NOT NULL,
    "payload" TEXT NOT NULL,
    "created_at" BIGINT NOT NULL
);
