import Synchronization

/// A listener's context, replaceable while it serves: handshakes that begin later use the new one.
package final class TLSServerContextStore: Sendable {
    private let configuration: TLSServerConfiguration
    private let context: Mutex<TLSServerContext>

    package init(_ configuration: TLSServerConfiguration) throws(TLSError) {
        self.configuration = configuration
        self.context = Mutex(try TLSServerContext(configuration))
    }

    package var current: TLSServerContext {
        self.context.withLock { $0 }
    }

    /// Reads the files anew; sessions of before it are not resumed.
    /// - Throws: what is wrong with them; the context in use stays.
    package func reload() throws(TLSError) {
        let fresh = try TLSServerContext(self.configuration)
        self.context.withLock { $0 = fresh }
    }
}
