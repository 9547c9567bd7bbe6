package causeway;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.spec.X509EncodedKeySpec;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Base64;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Verifies webhooks (Standard Webhooks 1.0): scheme v1 (HMAC-SHA256) and v1a (ed25519). For any number of threads. */
public final class WebhookVerifier {
    /** Messages older or newer than this are refused: somebody may be replaying them. */
    public static final Duration TOLERANCE = Duration.ofMinutes(5);

    private static final Pattern SECONDS = Pattern.compile("[0-9]{1,12}");
    /** What stands before the 32 bytes of an ed25519 key in its SubjectPublicKeyInfo (RFC 8410 section 4). */
    private static final byte[] ED25519_PREFIX = HexFormat.of().parseHex("302a300506032b6570032100");
    private static final int ED25519_BYTES = 32;

    private final List<Secret> secrets;
    private final Duration tolerance;
    private final InstantSource clock;

    /**
     * @param secrets what the event subscription's answer gave: {@code secret}, {@code whsec_…} (scheme v1), or
     *     {@code publicKey}, {@code whpk_…} (v1a); while you rotate, the old and the new one
     * @throws IllegalArgumentException when there is none, or one is neither; the message does not repeat it
     */
    public WebhookVerifier(String... secrets) {
        this(List.of(secrets), TOLERANCE, InstantSource.system());
    }

    public WebhookVerifier(Collection<String> secrets, Duration tolerance, InstantSource clock) {
        if (secrets.isEmpty()) {
            throw new IllegalArgumentException("a webhook verifier needs a secret");
        }
        this.secrets = secrets.stream().map(Secret::parse).toList();
        this.tolerance = tolerance;
        this.clock = clock;
    }

    /**
     * Gives back the event, once it is known to be ours and fresh; {@code Client.OrderEvent.fromJson} and its kin make a
     * typed one of it.
     *
     * @param header reads a request header by its name in any case, null when it is absent: {@code request::getHeader}
     *     of a servlet, {@code exchange.getRequestHeaders()::getFirst} of the JDK's server
     * @param rawBody the body's bytes exactly as they came; a body that was parsed and written again does not verify
     * @throws WebhookVerificationException when no signature fits, or the timestamp is too far from now
     */
    public Map<String, Object> verify(Function<String, String> header, byte[] rawBody) {
        String id = required(header, "webhook-id");
        String timestamp = required(header, "webhook-timestamp");
        String signatures = required(header, "webhook-signature");
        if (!SECONDS.matcher(timestamp).matches() || isTooFarFromNow(Long.parseLong(timestamp))) {
            throw new WebhookVerificationException("the timestamp is too far from now");
        }
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        content.writeBytes((id + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8));
        content.writeBytes(rawBody);
        if (!isSigned(content.toByteArray(), signatures)) {
            throw new WebhookVerificationException("no signature fits");
        }
        return parse(rawBody);
    }

    private static String required(Function<String, String> header, String name) {
        String value = header.apply(name);
        if (value == null || value.isEmpty()) {
            throw new WebhookVerificationException("a webhook header is missing");
        }
        return value;
    }

    private boolean isTooFarFromNow(long seconds) {
        return Math.abs(clock.millis() - seconds * 1_000) > tolerance.toMillis();
    }

    private boolean isSigned(byte[] content, String signatures) {
        for (String signature : signatures.split(" ")) {
            String[] parts = signature.split(",", 2);
            for (Secret secret : secrets) {
                if (parts.length == 2 && parts[0].equals(secret.scheme()) && secret.fits(content, parts[1])) {
                    return true;
                }
            }
        }
        return false;
    }

    private static Map<String, Object> parse(byte[] rawBody) {
        try {
            Map<String, Object> event = Client.asObject(Client.Json.parse(new String(rawBody, StandardCharsets.UTF_8)));
            if (event != null) {
                return event;
            }
        } catch (IllegalArgumentException notJson) {
            // Said below: for the caller it is all the same.
        }
        throw new WebhookVerificationException("the body is no JSON object");
    }

    private record Secret(String scheme, Key key) {
        static Secret parse(String text) {
            try {
                if (text.startsWith("whsec_")) {
                    return new Secret("v1", new SecretKeySpec(Base64.getDecoder().decode(text.substring(6)), "HmacSHA256"));
                }
                byte[] raw = text.startsWith("whpk_") ? Base64.getDecoder().decode(text.substring(5)) : new byte[0];
                if (raw.length == ED25519_BYTES) {
                    ByteArrayOutputStream info = new ByteArrayOutputStream();
                    info.writeBytes(ED25519_PREFIX);
                    info.writeBytes(raw);
                    return new Secret("v1a", KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(info.toByteArray())));
                }
            } catch (IllegalArgumentException | GeneralSecurityException malformed) {
                // Said below, without the text: it may be a secret with one wrong character.
            }
            throw new IllegalArgumentException("a webhook secret is whsec_ or whpk_ and base64");
        }

        boolean fits(byte[] content, String signature) {
            try {
                byte[] given = Base64.getDecoder().decode(signature);
                return key instanceof PublicKey publicKey ? isVerified(publicKey, content, given) : MessageDigest.isEqual(hmac(content), given);
            } catch (IllegalArgumentException | SignatureException malformed) {
                return false;
            } catch (GeneralSecurityException missing) {
                throw new IllegalStateException("this Java cannot verify scheme " + scheme, missing);
            }
        }

        private byte[] hmac(byte[] content) throws GeneralSecurityException {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(key);
            return mac.doFinal(content);
        }

        private static boolean isVerified(PublicKey publicKey, byte[] content, byte[] given) throws GeneralSecurityException {
            Signature ed25519 = Signature.getInstance("Ed25519");
            ed25519.initVerify(publicKey);
            ed25519.update(content);
            return ed25519.verify(given);
        }
    }
}
