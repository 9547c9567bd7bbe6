package causeway;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;

/**
 * Gives a valid access token, asking for a new one only when the last is about to expire. Callers that ask at the same
 * time share one request; a request that fails is forgotten, so that the next caller tries again. For any number of threads.
 */
public final class TokenCache implements Supplier<String> {
    /** A token is renewed this long before it expires, so that none expires on its way. */
    private static final Duration RENEW_BEFORE = Duration.ofSeconds(30);
    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private record Token(String value, Instant until) {}

    private final String endpoint;
    private final Credentials credentials;
    private final HttpClient http;
    private final InstantSource clock;
    private CompletableFuture<Token> latest;

    /** @param serverUrl {@code http://127.0.0.1:8080} */
    public TokenCache(String serverUrl, Credentials credentials) {
        this(serverUrl, credentials, HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build(), InstantSource.system());
    }

    public TokenCache(String serverUrl, Credentials credentials, HttpClient http, InstantSource clock) {
        this.endpoint = serverUrl.replaceAll("/+$", "") + "/oauth2/token";
        this.credentials = Objects.requireNonNull(credentials, "credentials");
        this.http = http;
        this.clock = clock;
    }

    /**
     * @throws TokenRequestException when the token endpoint refuses
     * @throws UncheckedIOException when it cannot be reached, or does not answer within 30 s
     */
    @Override
    public String get() {
        try {
            return current().get().value();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new UncheckedIOException(new IOException("interrupted while waiting for a token", interrupted));
        } catch (ExecutionException failure) {
            if (failure.getCause() instanceof TokenRequestException refused) {
                throw refused;
            }
            throw new UncheckedIOException(new IOException("no answer from " + endpoint, failure.getCause()));
        }
    }

    private synchronized CompletableFuture<Token> current() {
        if (latest == null || (latest.isDone() && !isValid(latest))) {
            latest = ask();
        }
        return latest;
    }

    private boolean isValid(CompletableFuture<Token> answered) {
        return !answered.isCompletedExceptionally() && clock.instant().isBefore(answered.join().until());
    }

    private CompletableFuture<Token> ask() {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(endpoint))
            .timeout(TIMEOUT)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(credentials.form(endpoint, clock.instant())));
        String authorization = credentials.authorization();
        if (authorization != null) {
            request.header("authorization", authorization);
        }
        return http.sendAsync(request.build(), HttpResponse.BodyHandlers.ofString()).thenApply(this::read);
    }

    private Token read(HttpResponse<String> response) {
        Map<String, Object> body;
        try {
            body = Client.asObject(Client.Json.parse(response.body()));
        } catch (IllegalArgumentException notJson) {
            body = null;
        }
        if (body == null) {
            throw new TokenRequestException(response.statusCode(), "invalid_response", null);
        }
        if (response.statusCode() != 200 || !(body.get("access_token") instanceof String token)) {
            String error = body.get("error") instanceof String named ? named : "invalid_response";
            throw new TokenRequestException(response.statusCode(), error, Client.asString(body.get("error_description")));
        }
        long seconds = body.get("expires_in") instanceof Number number ? number.longValue() : 0;
        return new Token(token, clock.instant().plusSeconds(seconds).minus(RENEW_BEFORE));
    }
}
