package causeway;

/** The token endpoint said no (RFC 6749 section 5.2). */
public final class TokenRequestException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The answer's HTTP status. */
    public final int status;

    /** {@code invalid_client}, {@code invalid_scope}, …; {@code invalid_response} when the answer is none of an OAuth server. */
    public final String error;

    TokenRequestException(int status, String error, String description) {
        super(description == null ? error : error + ": " + description);
        this.status = status;
        this.error = error;
    }
}
