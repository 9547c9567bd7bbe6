-- What a commit of the hot path still has to carry over to the event log. Its consumer is idempotent by id.
CREATE TABLE "outbox" (
    "position" BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    "id" TEXT NOT NULL UNIQUE,
    "topic" TEXT NOT NULL,
    "payload" TEXT NOT NULL,
    "created_at" BIGINT NOT NULL
);
