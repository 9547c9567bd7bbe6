-- How the receipts of a link write message ids, as learned from those that could be read in one way only; "source" is where
-- the id stood, tlv or text. "streak" rises with each that agrees and falls with each that does not; from 3 on it counts.
CREATE TABLE "sms_id_form" (
    "link_id" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "form" TEXT NOT NULL,
    "streak" INTEGER NOT NULL,
    "seen_at" BIGINT NOT NULL,
    PRIMARY KEY ("link_id", "source")
);
