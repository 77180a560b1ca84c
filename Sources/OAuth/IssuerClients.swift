import HTTPS

/// The HTTPS clients for issuers: one for each, so that an issuer that hangs occupies its own
/// threads only.
final class IssuerClients: Sendable {
    private static let limits = HTTPSClient.Limits(
        connectSeconds: 5,
        // A login waits for a request, and for two with discovery.
        totalSeconds: 10,
        bodyOctets: IssuerConnection.maximumOctets
    )

    private let clients: [ExactText: HTTPSClient]

    init(_ issuers: [TokenIssuer]) {
        self.clients = Dictionary(
            issuers.map { issuer in
                (ExactText(issuer.issuer), HTTPSClient(caFile: issuer.caFile, limits: Self.limits))
            },
            uniquingKeysWith: { first, _ in first }
        )
    }

    func send(
        _ request: HTTPSRequest,
        to issuer: TokenIssuer
    ) async throws(HTTPSError) -> HTTPSResponse {
        guard let client = self.clients[ExactText(issuer.issuer)] else {
            throw HTTPSError("the issuer is not configured")
        }
        return try await client.send(request)
    }

    /// Aborts the requests in flight and returns at once.
    func shutDown() {
        for client in self.clients.values { client.shutDown() }
    }

    /// Waits, after ``shutDown()``, until every request is answered.
    func threadsEnded() async {
        for client in self.clients.values { await client.threadsEnded() }
    }
}
