package causeway;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.Signature;
import java.security.interfaces.ECPrivateKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;

/**
 * How a partner's program proves itself at the token endpoint. No record, so that printing it never prints the secret.
 */
public final class Credentials {
    private static final String ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    /** An assertion is used at once; the gateway takes none that lives longer than 300 s. */
    private static final long ASSERTION_SECONDS = 60;

    private final String clientId;
    private final String clientSecret;
    private final String keyId;
    private final ECPrivateKey key;
    private final String scope;

    private Credentials(String clientId, String clientSecret, String keyId, ECPrivateKey key, String scope) {
        this.clientId = Objects.requireNonNull(clientId, "clientId");
        this.clientSecret = clientSecret;
        this.keyId = keyId;
        this.key = key;
        this.scope = scope;
    }

    /** The sandbox's way: {@code client_secret_basic} (RFC 6749 section 2.3.1). */
    public static Credentials secret(String clientId, String clientSecret) {
        return new Credentials(clientId, Objects.requireNonNull(clientSecret, "clientSecret"), null, null, null);
    }

    /**
     * Production's way: {@code private_key_jwt} (RFC 7523), signed with ES256.
     *
     * @param keyId the {@code kid} of the public key that is registered for the client
     * @param key on the curve P-256; {@link #readPrivateKey} reads it from a PEM text
     * @throws IllegalArgumentException when the key is on another curve
     */
    public static Credentials privateKey(String clientId, String keyId, ECPrivateKey key) {
        if (key.getParams().getCurve().getField().getFieldSize() != 256) {
            throw new IllegalArgumentException("ES256 needs a key on the curve P-256");
        }
        return new Credentials(clientId, null, Objects.requireNonNull(keyId, "keyId"), key, null);
    }

    /**
     * Reads an EC key from PKCS #8, the form that begins with {@code BEGIN PRIVATE KEY}.
     *
     * @throws IllegalArgumentException when it is anything else; the message never repeats what was given
     */
    public static ECPrivateKey readPrivateKey(String pem) {
        String text = pem.strip();
        if (!text.startsWith("-----BEGIN PRIVATE KEY-----") || !text.endsWith("-----END PRIVATE KEY-----")) {
            throw new IllegalArgumentException("not a PKCS #8 PEM text; fix: openssl pkcs8 -topk8 -nocrypt -in key.pem -out key.p8.pem");
        }
        try {
            byte[] der = Base64.getMimeDecoder().decode(text.replaceAll("-----(BEGIN|END) PRIVATE KEY-----", ""));
            return (ECPrivateKey) KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(der));
        } catch (GeneralSecurityException | IllegalArgumentException unreadable) {
            throw new IllegalArgumentException("not an EC private key");
        }
    }

    /** The same client asking for these scopes only, separated by spaces; all that it has without this. */
    public Credentials withScope(String scope) {
        return new Credentials(clientId, clientSecret, keyId, key, scope);
    }

    /** The form that the token endpoint gets (RFC 6749 section 4.4.2), without the secret. */
    String form(String endpoint, Instant now) {
        Map<String, String> fields = new LinkedHashMap<>();
        fields.put("grant_type", "client_credentials");
        if (scope != null) {
            fields.put("scope", scope);
        }
        if (key != null) {
            fields.put("client_id", clientId);
            fields.put("client_assertion_type", ASSERTION_TYPE);
            fields.put("client_assertion", assertion(endpoint, now));
        }
        StringBuilder form = new StringBuilder();
        fields.forEach((name, value) -> form.append(form.isEmpty() ? "" : "&").append(name).append('=').append(encode(value)));
        return form.toString();
    }

    /** The Authorization header, or null when the form holds the proof. */
    String authorization() {
        if (clientSecret == null) {
            return null;
        }
        String pair = encode(clientId) + ":" + encode(clientSecret);
        return "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
    }

    private String assertion(String audience, Instant now) {
        Map<String, Object> header = new LinkedHashMap<>();
        header.put("alg", "ES256");
        header.put("typ", "JWT");
        header.put("kid", keyId);
        Map<String, Object> claims = new LinkedHashMap<>();
        claims.put("iss", clientId);
        claims.put("sub", clientId);
        claims.put("aud", audience);
        claims.put("jti", UUID.randomUUID().toString());
        claims.put("iat", now.getEpochSecond());
        claims.put("exp", now.getEpochSecond() + ASSERTION_SECONDS);
        String signed = base64Url(Client.Json.write(header)) + "." + base64Url(Client.Json.write(claims));
        try {
            // A JWS holds r and s of fixed length (RFC 7518 section 3.4), not the DER that Java makes by default.
            Signature signature = Signature.getInstance("SHA256withECDSAinP1363Format");
            signature.initSign(key);
            signature.update(signed.getBytes(StandardCharsets.US_ASCII));
            return signed + "." + Base64.getUrlEncoder().withoutPadding().encodeToString(signature.sign());
        } catch (GeneralSecurityException failure) {
            throw new IllegalStateException("the assertion could not be signed", failure);
        }
    }

    private static String base64Url(String text) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String encode(String value) {
        return URLEncoder.encode(value, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
