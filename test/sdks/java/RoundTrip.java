import causeway.Causeway;
import causeway.Client;
import causeway.Credentials;
import causeway.WebhookVerificationException;
import causeway.WebhookVerifier;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * What a partner's program does, against a running gateway. Reads one JSON object from standard input and prints one: what
 * it saw.
 */
public final class RoundTrip {
    private static final int PATIENCE_SECONDS = 30;

    public static void main(String[] arguments) throws Exception {
        @SuppressWarnings("unchecked")
        Map<String, String> given = (Map<String, String>) Client.Json.parse(new String(System.in.readAllBytes(), StandardCharsets.UTF_8));
        String url = given.get("url");
        Causeway causeway = Causeway.create(url, Credentials.secret(given.get("clientId"), given.get("clientSecret")));
        Map<String, Object> seen = new LinkedHashMap<>();

        String planId = null;
        for (Client.Plan plan : causeway.api().listPlansItems(new Client.ListPlansParams().market("XS").limit(1L))) {
            planId = plan.code().equals("messaging-sim") ? plan.id() : planId;
        }

        try (Receiver receiver = new Receiver()) {
            Client.EventSubscriptionCreated shared = receiver.subscribe(causeway, Client.WebhookScheme.V1);
            Client.EventSubscriptionCreated asymmetric = receiver.subscribe(causeway, Client.WebhookScheme.V1_A);
            receiver.expect(new WebhookVerifier(shared.secret()), new WebhookVerifier(asymmetric.publicKey()));

            Client.SimBatchRow sim = new Client.SimBatchRow(given.get("iccid"), given.get("imsi"));
            Client.SimBatch batch = causeway.api().createSimBatch(new Client.SimBatchRequest("XS", null, List.of(sim)));
            seen.put("sim", batch.items().get(0).status().wire());

            Client.OrderRequest request = anOrder(planId, given.get("iccid"), given.get("msisdn"));
            Client.Envelope<Client.Order> order = causeway.with("Idempotency-Key", "order-4711").createOrderWithHeaders(request);
            Client.Envelope<Client.Order> again = causeway.with("Idempotency-Key", "order-4711").createOrderWithHeaders(request);
            seen.put("orderStatus", order.status());
            seen.put("orderId", order.data().id());
            seen.put("repeatedOrderId", again.data().id());
            seen.put("replayed", again.headers().get("idempotencyReplayed"));

            for (String scheme : List.of("v1", "v1a")) {
                Client.OrderEvent event = Client.OrderEvent.fromJson(receiver.next(scheme));
                seen.put("event " + scheme, event.type().wire() + " " + event.data2().resource().id());
            }
            seen.put("strangersSecret", receiver.strangersSecretIsRefused());

            seen.put("deleteWithoutIfMatch", statusOf(() -> causeway.api().deleteEventSubscription(shared.id())));
            Object etag = causeway.api().getEventSubscriptionWithHeaders(shared.id()).headers().get("etag");
            causeway.with("If-Match", String.valueOf(etag)).deleteEventSubscription(shared.id());
            seen.put("afterDelete", statusOf(() -> causeway.api().getEventSubscription(shared.id())));
        }

        try {
            causeway.api().createOrder(anOrder(planId, given.get("iccid"), "+99"));
        } catch (Client.ApiException refused) {
            Client.Problem problem = Client.Problem.fromJson(refused.body);
            seen.put("problem", refused.status + " " + problem.code() + " " + problem.errors().get(0).pointer());
        }

        for (Client.TrafficListFormat format : Client.TrafficListFormat.values()) {
            seen.put("export " + format.wire(), causeway.exportTrafficList("messaging-text", format));
        }
        seen.put("exportOfNothing", statusOf(() -> causeway.exportTrafficList("no-such-class", Client.TrafficListFormat.CSV)));

        Credentials signing = Credentials.privateKey(given.get("keyClientId"), "k1", Credentials.readPrivateKey(given.get("privateKey")));
        seen.put("byAssertion", Causeway.create(url, signing).api().getPartner().id());
        System.out.println(Client.Json.write(seen));
    }

    private static Client.OrderRequest anOrder(String planId, String iccid, String msisdn) {
        Client.OrderItemRequest item = new Client.OrderItemRequest(Client.OrderAction.ADD, planId, iccid, msisdn);
        return new Client.OrderRequest("XS", null, List.of(item), null);
    }

    private static int statusOf(Runnable call) {
        try {
            call.run();
            return 200;
        } catch (Client.ApiException refused) {
            return refused.status;
        }
    }

    /** A partner's endpoint: one path for each scheme, answering 204 to what verifies and 400 to what does not. */
    private static final class Receiver implements AutoCloseable {
        private final HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        private final CompletableFuture<Map<String, WebhookVerifier>> verifiers = new CompletableFuture<>();
        private final CompletableFuture<Boolean> strangersSecret = new CompletableFuture<>();
        private final Map<String, CompletableFuture<Map<String, Object>>> events =
            Map.of("v1", new CompletableFuture<>(), "v1a", new CompletableFuture<>());

        Receiver() throws IOException {
            for (String scheme : events.keySet()) {
                server.createContext("/" + scheme + "/", exchange -> receive(scheme, exchange));
            }
            server.start();
        }

        Client.EventSubscriptionCreated subscribe(Causeway causeway, Client.WebhookScheme scheme) {
            String sink = "http://127.0.0.1:" + server.getAddress().getPort() + "/" + scheme.wire() + "/";
            List<String> types = List.of("com.causeway.v1.order.acknowledged");
            return causeway.api().createEventSubscription(new Client.EventSubscriptionRequest(sink, types, scheme, null));
        }

        void expect(WebhookVerifier shared, WebhookVerifier asymmetric) {
            verifiers.complete(Map.of("v1", shared, "v1a", asymmetric));
        }

        Map<String, Object> next(String scheme) throws Exception {
            return events.get(scheme).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        }

        boolean strangersSecretIsRefused() throws Exception {
            return strangersSecret.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        }

        private void receive(String scheme, HttpExchange exchange) throws IOException {
            byte[] body = exchange.getRequestBody().readAllBytes();
            try {
                events.get(scheme).complete(verifiers.join().get(scheme).verify(exchange.getRequestHeaders()::getFirst, body));
                strangersSecret.complete(isRefusedByAStranger(exchange, body));
                exchange.sendResponseHeaders(204, -1);
            } catch (WebhookVerificationException refused) {
                events.get(scheme).completeExceptionally(refused);
                exchange.sendResponseHeaders(400, -1);
            }
            exchange.close();
        }

        private static boolean isRefusedByAStranger(HttpExchange exchange, byte[] body) {
            try {
                new WebhookVerifier("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").verify(exchange.getRequestHeaders()::getFirst, body);
                return false;
            } catch (WebhookVerificationException refused) {
                return true;
            }
        }

        @Override
        public void close() {
            server.stop(0);
        }
    }
}
