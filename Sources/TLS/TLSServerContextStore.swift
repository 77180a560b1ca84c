import Synchronization

/// A listener's replaceable context: new handshakes use the latest one.
package final class TLSServerContextStore: Sendable {
    private let configuration: TLSServerConfiguration
    private let context: Mutex<TLSServerContext>

    package init(_ configuration: TLSServerConfiguration) throws(TLSError) {
        self.configuration = configuration
        self.context = Mutex(try TLSServerContext(configuration))
    }

    /// The context for the next handshake.
    package var current: TLSServerContext {
        self.context.withLock { $0 }
    }

    /// Reads the certificate files again. Sessions of the earlier context cannot be resumed.
    /// - Throws: the error of a file; the current context stays in use.
    package func reload() throws(TLSError) {
        let fresh = try TLSServerContext(self.configuration)
        self.context.withLock { $0 = fresh }
    }
}
