import causeway.Credentials;
import causeway.TokenCache;
import causeway.TokenRequestException;
import causeway.WebhookVerificationException;
import causeway.WebhookVerifier;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.interfaces.ECPrivateKey;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;

/** The hand-written part of the Java SDK without a gateway. Prints a line for each promise; exits 1 when one is broken. */
public final class SdkChecks {
    private interface Check {
        void run() throws Exception;
    }

    // The vector of the Standard Webhooks specification.
    private static final String SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private static final String OTHER_SECRET = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    private static final String BODY = "{\"test\": 2432232314}";
    private static final String ID = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    private static final String TIMESTAMP = "1614265330";
    private static final String SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    private static final Instant SENT = Instant.ofEpochSecond(1_614_265_330);

    private static int broken = 0;

    public static void main(String[] arguments) throws Exception {
        webhooks();
        tokens();
        System.exit(broken == 0 ? 0 : 1);
    }

    private static void check(String promise, Check check) {
        try {
            check.run();
            System.out.println("ok " + promise);
        } catch (Exception | AssertionError failure) {
            broken++;
            System.out.println("BROKEN " + promise + ": " + failure);
        }
    }

    private static void same(Object expected, Object found) {
        if (!Objects.equals(expected, found)) {
            throw new AssertionError("expected " + expected + ", found " + found);
        }
    }

    private static <T extends Exception> T refused(Class<T> kind, Check check) {
        try {
            check.run();
        } catch (Exception failure) {
            if (kind.isInstance(failure)) {
                return kind.cast(failure);
            }
            throw new AssertionError("expected " + kind.getSimpleName() + ", found " + failure, failure);
        }
        throw new AssertionError("expected " + kind.getSimpleName() + ", and nothing was refused");
    }

    // ─── Webhooks ───

    private static Object verify(List<String> secrets, String id, String timestamp, String signature, String body, Instant now) {
        Map<String, String> headers = new java.util.HashMap<>();
        headers.put("webhook-id", id);
        headers.put("webhook-timestamp", timestamp);
        headers.put("webhook-signature", signature);
        WebhookVerifier verifier = new WebhookVerifier(secrets, WebhookVerifier.TOLERANCE, InstantSource.fixed(now));
        return verifier.verify(headers::get, body.getBytes(StandardCharsets.UTF_8));
    }

    private static void webhooks() throws GeneralSecurityException {
        Map<String, Object> event = Map.of("test", 2_432_232_314L);
        List<String> secret = List.of(SECRET);
        check("the specification's vector verifies", () -> same(event, verify(secret, ID, TIMESTAMP, SIGNATURE, BODY, SENT)));
        check("it verifies beside other signatures", () ->
            same(event, verify(secret, ID, TIMESTAMP, "v1,AAAA v1,%% v9,zzz v1 " + SIGNATURE, BODY, SENT)));
        check("it verifies while secrets rotate", () ->
            same(event, verify(List.of(OTHER_SECRET, SECRET), ID, TIMESTAMP, SIGNATURE, BODY, SENT)));
        check("the last second of the tolerance is still good", () ->
            same(event, verify(secret, ID, TIMESTAMP, SIGNATURE, BODY, SENT.plusSeconds(300))));

        record Refusal(String what, String id, String timestamp, String signature, String body, Instant now) {}
        List<Refusal> refusals = List.of(
            new Refusal("a changed body", ID, TIMESTAMP, SIGNATURE, "{\"test\": 2432232315}", SENT),
            new Refusal("a changed id", "msg_other", TIMESTAMP, SIGNATURE, BODY, SENT),
            new Refusal("a changed timestamp", ID, "1614265331", SIGNATURE, BODY, SENT),
            new Refusal("a replay after five minutes", ID, TIMESTAMP, SIGNATURE, BODY, SENT.plusSeconds(301)),
            new Refusal("a timestamp from the future", ID, TIMESTAMP, SIGNATURE, BODY, SENT.minusSeconds(301)),
            new Refusal("a timestamp that is no number", ID, "1614265330x", SIGNATURE, BODY, SENT),
            new Refusal("a timestamp beyond any number", ID, "9".repeat(40), SIGNATURE, BODY, SENT),
            new Refusal("a missing id", null, TIMESTAMP, SIGNATURE, BODY, SENT),
            new Refusal("a missing timestamp", ID, null, SIGNATURE, BODY, SENT),
            new Refusal("a missing signature", ID, TIMESTAMP, null, BODY, SENT),
            new Refusal("a signature without a scheme", ID, TIMESTAMP, SIGNATURE.substring(3), BODY, SENT),
            new Refusal("the signature under another scheme", ID, TIMESTAMP, "v1a" + SIGNATURE.substring(2), BODY, SENT),
            new Refusal("a cut signature", ID, TIMESTAMP, SIGNATURE.substring(0, 20), BODY, SENT)
        );
        for (Refusal it : refusals) {
            check(it.what() + " is refused", () -> refused(WebhookVerificationException.class, () ->
                verify(secret, it.id(), it.timestamp(), it.signature(), it.body(), it.now())));
        }
        check("a stranger's secret is refused", () -> refused(WebhookVerificationException.class, () ->
            verify(List.of(OTHER_SECRET), ID, TIMESTAMP, SIGNATURE, BODY, SENT)));
        check("a tolerance of one's own holds", () -> refused(WebhookVerificationException.class, () ->
            new WebhookVerifier(secret, Duration.ofSeconds(10), InstantSource.fixed(SENT.plusSeconds(11)))
                .verify(Map.of("webhook-id", ID, "webhook-timestamp", TIMESTAMP, "webhook-signature", SIGNATURE)::get, BODY.getBytes(StandardCharsets.UTF_8))));

        KeyPair pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        byte[] info = pair.getPublic().getEncoded();
        String publicKey = "whpk_" + Base64.getEncoder().encodeToString(Arrays.copyOfRange(info, info.length - 32, info.length));
        Signature signer = Signature.getInstance("Ed25519");
        signer.initSign(pair.getPrivate());
        signer.update((ID + "." + TIMESTAMP + "." + BODY).getBytes(StandardCharsets.UTF_8));
        String asymmetric = "v1a," + Base64.getEncoder().encodeToString(signer.sign());
        check("scheme v1a verifies with the public key alone", () ->
            same(event, verify(List.of(publicKey), ID, TIMESTAMP, asymmetric, BODY, SENT)));
        check("v1a with a changed body is refused", () -> refused(WebhookVerificationException.class, () ->
            verify(List.of(publicKey), ID, TIMESTAMP, asymmetric, BODY + " ", SENT)));
        check("v1a with a cut signature is refused", () -> refused(WebhookVerificationException.class, () ->
            verify(List.of(publicKey), ID, TIMESTAMP, asymmetric.substring(0, 40), BODY, SENT)));
        check("v1a is refused where only a shared secret is known", () -> refused(WebhookVerificationException.class, () ->
            verify(secret, ID, TIMESTAMP, asymmetric, BODY, SENT)));
        check("what is no webhook secret is refused at once, and not repeated", () -> {
            for (String wrong : List.of("", "whsec_", "whsec_%%%", "whpk_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")) {
                String message = refused(IllegalArgumentException.class, () -> new WebhookVerifier(wrong)).getMessage();
                same("a webhook secret is whsec_ or whpk_ and base64", message);
            }
            refused(IllegalArgumentException.class, () -> new WebhookVerifier());
        });
    }

    // ─── Tokens ───

    private record Asked(String authorization, String form) {}

    /** A token endpoint that gives its answers in order, the last one again and again. */
    private static final class TokenEndpoint implements AutoCloseable {
        final List<Asked> asked = new CopyOnWriteArrayList<>();
        final String url;
        private final HttpServer server;
        private final List<String> answers;
        private final BooleanSupplier mayAnswer;

        TokenEndpoint(BooleanSupplier mayAnswer, String... answers) throws IOException {
            this.answers = List.of(answers);
            this.mayAnswer = mayAnswer;
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.createContext("/oauth2/token", this::answer);
            server.start();
            url = "http://127.0.0.1:" + server.getAddress().getPort();
        }

        private void answer(HttpExchange exchange) throws IOException {
            String form = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            asked.add(new Asked(exchange.getRequestHeaders().getFirst("authorization"), form));
            while (!mayAnswer.getAsBoolean()) {
                Thread.onSpinWait();
            }
            String[] answer = answers.get(Math.min(asked.size(), answers.size()) - 1).split(" ", 2);
            byte[] body = answer[1].getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(Integer.parseInt(answer[0]), body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        }

        @Override
        public void close() {
            server.stop(0);
        }
    }

    private static String aToken(String token) {
        return "200 {\"access_token\":\"" + token + "\",\"token_type\":\"Bearer\",\"expires_in\":900,\"scope\":\"plans:read\"}";
    }

    private static final Credentials CLIENT = Credentials.secret("a b", "s3cret");

    private static void tokens() {
        check("a token is kept until shortly before it expires", () -> {
            try (TokenEndpoint endpoint = new TokenEndpoint(() -> true, aToken("one"), aToken("two"))) {
                AtomicReference<Instant> now = new AtomicReference<>(SENT);
                TokenCache tokens = new TokenCache(endpoint.url + "/", CLIENT, HttpClient.newHttpClient(), now::get);
                same("one", tokens.get());
                now.set(SENT.plusSeconds(869));
                same("one", tokens.get());
                now.set(SENT.plusSeconds(871));
                same("two", tokens.get());
                same(2, endpoint.asked.size());
            }
        });
        check("callers at the same time share one request", () -> {
            List<Thread> callers = new ArrayList<>();
            List<String> got = new CopyOnWriteArrayList<>();
            // The answer comes when all of them wait for it; a second one, which must not be, without waiting for who is done.
            Set<Thread.State> ready = Set.of(Thread.State.WAITING, Thread.State.TERMINATED);
            BooleanSupplier allWait = () -> callers.stream().allMatch(caller -> ready.contains(caller.getState()));
            try (TokenEndpoint endpoint = new TokenEndpoint(allWait, aToken("one"), aToken("two"))) {
                TokenCache tokens = new TokenCache(endpoint.url, CLIENT);
                for (int each = 0; each < 4; each++) {
                    callers.add(new Thread(() -> got.add(tokens.get())));
                }
                for (Thread caller : callers) {
                    caller.start();
                }
                for (Thread caller : callers) {
                    caller.join();
                }
                same(List.of("one", "one", "one", "one"), got);
                same(1, endpoint.asked.size());
            }
        });
        check("id and secret are percent-encoded into Basic", () -> {
            try (TokenEndpoint endpoint = new TokenEndpoint(() -> true, aToken("one"))) {
                new TokenCache(endpoint.url, CLIENT.withScope("plans:read orders:write")).get();
                String basic = "Basic " + Base64.getEncoder().encodeToString("a%20b:s3cret".getBytes(StandardCharsets.UTF_8));
                String form = "grant_type=client_credentials&scope=plans%3Aread%20orders%3Awrite";
                same(List.of(new Asked(basic, form)), endpoint.asked);
            }
        });
        check("a refusal says why, and the next caller tries again", () -> {
            String refusal = "401 {\"error\":\"invalid_client\",\"error_description\":\"unknown\"}";
            try (TokenEndpoint endpoint = new TokenEndpoint(() -> true, refusal, "502 <html>", aToken("one"))) {
                TokenCache tokens = new TokenCache(endpoint.url, CLIENT);
                TokenRequestException refused = refused(TokenRequestException.class, tokens::get);
                same("401 invalid_client invalid_client: unknown", refused.status + " " + refused.error + " " + refused.getMessage());
                same("invalid_response", refused(TokenRequestException.class, tokens::get).error);
                same("one", tokens.get());
            }
        });
        check("an endpoint that is away is an I/O failure", () -> {
            TokenEndpoint endpoint = new TokenEndpoint(() -> true, aToken("one"));
            endpoint.close();
            refused(UncheckedIOException.class, () -> new TokenCache(endpoint.url, CLIENT).get());
        });
        check("an assertion is sent instead of a secret, a new one each time", () -> {
            try (TokenEndpoint endpoint = new TokenEndpoint(() -> true, aToken("one"))) {
                Credentials signing = Credentials.privateKey("a", "k1", anEcKey("secp256r1"));
                for (int each = 0; each < 2; each++) {
                    new TokenCache(endpoint.url, signing).get();
                }
                same(null, endpoint.asked.get(0).authorization());
                same(true, endpoint.asked.get(0).form().contains("client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"));
                same(false, endpoint.asked.get(0).form().equals(endpoint.asked.get(1).form()));
            }
        });
        check("a key that ES256 cannot use is refused in words", () -> {
            refused(IllegalArgumentException.class, () -> Credentials.privateKey("a", "k1", anEcKey("secp384r1")));
            String sec1 = "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----";
            same(true, refused(IllegalArgumentException.class, () -> Credentials.readPrivateKey(sec1)).getMessage().contains("openssl pkcs8"));
            String garbage = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----";
            same("not an EC private key", refused(IllegalArgumentException.class, () -> Credentials.readPrivateKey(garbage)).getMessage());
        });
        check("credentials do not print their secret", () -> same(false, CLIENT.toString().contains("s3cret")));
    }

    private static ECPrivateKey anEcKey(String curve) throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec(curve));
        return (ECPrivateKey) generator.generateKeyPair().getPrivate();
    }
}
