-- What one node at a time may do: being itself ("node/…"), holding a bind ("bind/…"). Whoever holds it moves the beat on;
-- others take it once the beat has stood still for long enough on their own clocks.
CREATE TABLE "node_lease" (
    "name" TEXT NOT NULL PRIMARY KEY,
    "owner" TEXT NOT NULL,
    "beat" BIGINT NOT NULL,
    -- What the owner tells the others, JSON.
    "detail" TEXT NOT NULL
);

-- Which node the attempt is under way at.
ALTER TABLE "sms_message" ADD COLUMN "submitting_by" TEXT;
