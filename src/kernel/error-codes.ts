/**
 * Every code a caller can meet, with its HTTP status and title. `docs/errors/<code>.md` says what happened and how to
 * fix it; a test fails when either lacks its twin. Plain words are CAMARA's (Commonalities r4.2), the rest `AREA.REASON`.
 */
export const ERROR_CODES = {
  INVALID_ARGUMENT: { status: 400, title: 'The request is not valid' },
  OUT_OF_RANGE: { status: 400, title: 'A value is out of range' },
  UNAUTHENTICATED: { status: 401, title: 'Authentication is needed' },
  PERMISSION_DENIED: { status: 403, title: 'The token does not allow this' },
  NOT_FOUND: { status: 404, title: 'Not found' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'Method not allowed' },
  NOT_ACCEPTABLE: { status: 406, title: 'No acceptable representation' },
  ALREADY_EXISTS: { status: 409, title: 'It exists already' },
  INCOMPATIBLE_STATE: { status: 409, title: 'The resource is not in a state that allows this' },
  GONE: { status: 410, title: 'It is gone' },
  FAILED_PRECONDITION: { status: 412, title: 'A precondition failed' },
  PAYLOAD_TOO_LARGE: { status: 413, title: 'The body is too large' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'Unsupported media type' },
  SERVICE_NOT_APPLICABLE: { status: 422, title: 'The service does not apply here' },
  PRECONDITION_REQUIRED: { status: 428, title: 'A precondition is required' },
  TOO_MANY_REQUESTS: { status: 429, title: 'Too many requests' },
  QUOTA_EXCEEDED: { status: 429, title: 'The quota is used up' },
  INTERNAL: { status: 500, title: 'Something broke on our side' },
  UNAVAILABLE: { status: 503, title: 'Not available right now' },

  'IDEMPOTENCY.KEY_MISSING': { status: 400, title: 'The Idempotency-Key header is missing' },
  'IDEMPOTENCY.KEY_REUSED': { status: 422, title: 'The Idempotency-Key was used for another request' },
  'IDEMPOTENCY.IN_FLIGHT': { status: 409, title: 'The first request with this Idempotency-Key is still running' },

  'PROVISIONING.PLAN_NOT_OFFERED': { status: 422, title: 'The plan is not offered' },
  'PROVISIONING.SIM_NOT_AVAILABLE': { status: 409, title: 'The SIM is not available' },
  'PROVISIONING.MSISDN_IN_USE': { status: 409, title: 'The number has a subscription already' },
  'PROVISIONING.MSISDN_NOT_OURS': { status: 422, title: "The number is outside the partner's ranges" },
  'PROVISIONING.ICCID_NOT_OURS': { status: 422, title: "The ICCID is outside the partner's ranges" },
  'PROVISIONING.IMSI_NOT_OURS': { status: 422, title: "The IMSI is outside the partner's networks" },
  'ZERO_RATING.NOT_PERMITTED_IN_MARKET': { status: 422, title: 'Zero-rating is not permitted in this market' },
  'ZERO_RATING.VERSION_UNKNOWN': { status: 422, title: 'That version of the traffic list does not exist' },

  'EVENTS.SINK_NOT_ALLOWED': { status: 422, title: 'The sink address is not allowed' },
  'MARKET.NOT_COVERED': { status: 422, title: 'The market is not covered' },
  'SANDBOX.ONLY': { status: 403, title: 'Only in the sandbox' },
  'PORTAL.CROSS_SITE': { status: 403, title: 'The request came from another site' },

  'MESSAGING.DEVICES_MISMATCH': { status: 409, title: "The devices are not the account's devices" },
  'MESSAGING.DEVICES_STALE': { status: 410, title: 'A device has registered anew' },
  'MESSAGING.VERIFICATION_FAILED': { status: 403, title: 'The number could not be verified' },
  'MESSAGING.FALLBACK_NOT_ALLOWED': { status: 422, title: 'The SMS fallback is not allowed here' },
  'MESSAGING.BRIDGE_KEY_UNKNOWN': { status: 422, title: "The text is not sealed to one of the bridge's current keys" },

  'SMS.TOO_LONG': { status: 422, title: 'The text needs too many segments' },
  'SMS.NO_ROUTE': { status: 422, title: 'No link reaches this number' },
  'SMS.NO_SENDER': { status: 422, title: 'No sender may carry this message' },
  'SMS.TEMPLATE_UNKNOWN': { status: 422, title: 'The partner has no such text' },
  'SMS.OPTED_OUT': { status: 422, title: 'The subscriber wants no more messages' },
  'SMS.RANGE_BLOCKED': { status: 422, title: 'Nothing is sent to this range of numbers' },
  'SMS.QUIET_HOURS': { status: 422, title: 'The message would expire in the quiet hours' },
  'SMS.SENDING_STOPPED': { status: 422, title: 'The kill switch is on' },
  'SMS.CAP_REACHED': { status: 429, title: 'A cap of the policy is reached' },
  'SMS.PUMPING_SUSPECTED': { status: 429, title: 'The traffic looks as if it were made for its fees' },
  'SMPP.LINK_LOST': { status: 503, title: 'The link was lost before an answer came' },
  'SMPP.RESPONSE_TIMEOUT': { status: 504, title: 'The SMSC did not answer in time' },
  'SMPP.REFUSED': { status: 502, title: 'The SMSC refused' },
  'SMPP.NOT_BOUND': { status: 503, title: 'The link is not bound' },
  'SMPP.BAD_PDU': { status: 400, title: 'The PDU is malformed' },

  'CONFIG.INVALID': { status: 500, title: 'The configuration is not valid' },
  'STORE.NEWER_SCHEMA': { status: 500, title: 'The database is newer than this program' },
  'STORE.LOCKED': { status: 500, title: 'Another process holds the data folder' },
  'STORE.BACKUP_DAMAGED': { status: 500, title: 'The backup is not whole' },
  'STORE.RESTORE_UNFINISHED': { status: 500, title: 'A restore was interrupted' },
  'STORE.MIGRATION_CHANGED': { status: 500, title: 'An applied migration was edited' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;
