package causeway;

import java.io.InputStream;
import java.net.http.HttpClient;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * The partner API: gets and renews its token by itself, sends an Idempotency-Key with every POST, and retries what is safe
 * to retry ({@code Retry-After} honoured). Make one and keep it; it is for any number of threads.
 */
public final class Causeway {
    /** Our name in the client header of every request. */
    private static final String CLIENT = "causeway-sdk-java";
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    private static final int RETRIES = 2;

    private final String serverUrl;
    private final Supplier<String> tokens;
    private final HttpClient http;
    private final Client api;

    private Causeway(String serverUrl, Supplier<String> tokens, HttpClient http) {
        this.serverUrl = serverUrl;
        this.tokens = tokens;
        this.http = http;
        this.api = new Client(config());
    }

    /** @param serverUrl {@code http://127.0.0.1:8080} */
    public static Causeway create(String serverUrl, Credentials credentials) {
        // HTTP/1.1 outright: without TLS the client would first try to upgrade each connection to HTTP/2.
        return create(
            serverUrl,
            credentials,
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(CONNECT_TIMEOUT).build()
        );
    }

    /** @param http with a proxy, a trust store or an executor of your own; it must not follow redirects with credentials */
    public static Causeway create(String serverUrl, Credentials credentials, HttpClient http) {
        return new Causeway(serverUrl, new TokenCache(serverUrl, credentials, http, InstantSource.system()), http);
    }

    /** Every operation of the contract, under its name. */
    public Client api() {
        return api;
    }

    /**
     * Every operation, sent with a header that the generated methods have no parameter for: {@code Idempotency-Key} with a
     * key of your own that outlives your process, {@code If-Match} for a change that needs it, {@code x-correlator}.
     * Cheap: make it for the one call.
     */
    public Client with(String header, String value) {
        return new Client(config().header(header, value));
    }

    /**
     * A traffic list as text, which the generated method reads as JSON whatever the format.
     *
     * @param format {@code CIDR}: one network a line; {@code CSV}: a header row, then one filter a line; {@code PFD}: JSON
     * @throws Client.ApiException when the gateway refuses
     */
    public String exportTrafficList(String trafficClass, Client.TrafficListFormat format) {
        Client.Config config = config();
        String url = Client.buildUrl(
            config.serverUrl,
            "/v1/traffic-lists/{trafficClass}/export",
            Map.of("trafficClass", trafficClass)
        );
        Client.RequestSpec request = new Client.RequestSpec("exportTrafficList", "GET", url)
            .headers(Map.of("Authorization", "Bearer " + tokens.get()))
            .query(Map.of("format", List.of(format.wire())));
        HttpResponse<InputStream> response = Client.send(config, request);
        if (response.statusCode() >= 400) {
            throw Client.apiErrorFrom(response, url);
        }
        return new String(Client.readBody(response), StandardCharsets.UTF_8);
    }

    private Client.Config config() {
        Client.Config config = new Client.Config()
            .serverUrl(serverUrl)
            .httpClient(http)
            .auth(new Client.Auth().bearer(tokens))
            .idempotencyKey(() -> UUID.randomUUID().toString())
            .retry(new Client.Retry().retries(RETRIES))
            .timeout(TIMEOUT);
        config.clientHeader = CLIENT;
        return config;
    }
}
