import Access
import Store
import Synchronization
import TLS

/// TLS towards servers: one context for each set of trusted certificates.
final class ClientContexts: Sendable {
    private let contexts = Mutex<[ExactText: TLSClientContext]>([:])

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
