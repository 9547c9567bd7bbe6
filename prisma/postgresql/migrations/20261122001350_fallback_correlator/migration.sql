-- Of the request that armed it; empty when it came over the stream, which has none.
ALTER TABLE "engine_sms_fallback" ADD COLUMN "correlator" TEXT;
