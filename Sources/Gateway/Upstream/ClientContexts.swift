import Access
import Store
import Synchronization
import TLS

/// The TLS contexts for connections to mail servers: one for each set of trusted certificates. Safe
/// to use from any event loop.
final class ClientContexts: Sendable {
    /// By the path of the CA file; empty for the system's trusted certificates.
    private let contexts = Mutex<[ExactText: TLSClientContext]>([:])

    /// The context of an endpoint, created at its first use. A later change of the CA file has no
    /// effect on a cached context.
    /// - Throws: `TLSError` if the CA file cannot be read as PEM.
    func context(for endpoint: Endpoint) throws -> TLSClientContext {
        let key = ExactText(endpoint.caFile ?? "")
        return try self.contexts.withLock { contexts in
            if let context = contexts[key] { return context }
            let context = try TLSClientContext(
                TLSClientConfiguration(caFile: endpoint.caFile, alpn: [])
            )
            contexts[key] = context
            return context
        }
    }
}
