package causeway;

/** A webhook whose signature, timestamp, headers or body are not right: answer 400 and do nothing with it. */
public final class WebhookVerificationException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    WebhookVerificationException(String message) {
        super(message);
    }
}
