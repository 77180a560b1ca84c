import COpenSSL
import Synchronization

/// What a listener's handshakes need: its certificates, chosen by the name a client asks for.
package final class TLSServerContext: Sendable {
    /// One certificate's context and the names it is for.
    fileprivate struct Entry: Sendable {
        let context: SSLContext
        let names: [[UInt8]]
    }

    private let entries: [Entry]
    fileprivate let alpn: [UInt8]

    /// - Throws: `unusableFile`, `keyDoesNotMatch`.
    package init(_ configuration: TLSServerConfiguration) throws(TLSError) {
        self.alpn = SSLContext.wireFormat(configuration.alpn)
        var entries: [Entry] = []
        for files in configuration.certificates {
            entries.append(try Self.entry(files, configuration.sessionContext))
        }
        guard !entries.isEmpty else { throw .unusableFile("no certificate") }
        self.entries = entries
        for entry in entries { self.addCallbacks(to: entry.context.pointer) }
    }

    var first: SSLContext { self.entries[0].context }

    private static func entry(
        _ files: TLSCertificateFiles,
        _ sessionContext: String
    ) throws(TLSError) -> Entry {
        ErrorQueue.clear()
        let context = try SSLContext(method: TLS_server_method())
        let pointer = context.pointer
        guard SSL_CTX_use_certificate_chain_file(pointer, files.certificate) == 1 else {
            _ = ErrorQueue.drain()
            throw .unusableFile(files.certificate)
        }
        guard SSL_CTX_use_PrivateKey_file(pointer, files.key, SSL_FILETYPE_PEM) == 1 else {
            let isMismatch = ErrorQueue.drain().contains("mismatch")
            if isMismatch { throw .keyDoesNotMatch(files.key) }
            throw .unusableFile(files.key)
        }
        guard SSL_CTX_check_private_key(pointer) == 1 else { throw .keyDoesNotMatch(files.key) }
        _ = SSL_CTX_set_options(pointer, gp_SSL_OP_CIPHER_SERVER_PREFERENCE)
        // One ticket is enough for a client that comes back; each costs a message.
        _ = SSL_CTX_set_num_tickets(pointer, 1)
        // Tickets hold the session; a cache here would hold it a second time.
        _ = gp_SSL_CTX_set_session_cache_mode(pointer, Int(SSL_SESS_CACHE_OFF))
        let identifier = Array(sessionContext.utf8.prefix(Int(SSL_MAX_SID_CTX_LENGTH)))
        _ = SSL_CTX_set_session_id_context(pointer, identifier, UInt32(identifier.count))
        return Entry(context: context, names: Self.names(of: pointer))
    }

    /// DNS names of the context's certificate, in lower case.
    private static func names(of context: OpaquePointer) -> [[UInt8]] {
        guard let certificate = SSL_CTX_get0_certificate(context),
            let extensionValue = X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil)
        else { return [] }
        let names = OpaquePointer(extensionValue)
        defer { GENERAL_NAMES_free(names) }
        var found: [[UInt8]] = []
        for index in 0..<gp_sk_GENERAL_NAME_num(names) {
            var length: CInt = 0
            guard let name = gp_sk_GENERAL_NAME_value(names, index),
                let octets = gp_GENERAL_NAME_dns(name, &length)
            else { continue }
            let buffer = UnsafeBufferPointer(start: octets, count: Int(length))
            found.append(buffer.map(Self.lowercased))
        }
        return found
    }

    private static func lowercased(_ octet: UInt8) -> UInt8 {
        octet >= 0x41 && octet <= 0x5A ? octet + 0x20 : octet
    }

    private func addCallbacks(to context: OpaquePointer) {
        // The callbacks borrow this object; it outlives every connection, whose handler holds it.
        let own = Unmanaged.passUnretained(self).toOpaque()
        gp_SSL_CTX_set_tlsext_servername_callback(context, serverNameCallback)
        gp_SSL_CTX_set_tlsext_servername_arg(context, own)
        if !self.alpn.isEmpty { SSL_CTX_set_alpn_select_cb(context, alpnCallback, own) }
    }

    /// The context for a name: an exact match, else a wildcard for one label, else the first.
    fileprivate func context(for name: [UInt8]) -> SSLContext {
        let name = name.map(Self.lowercased)
        if let exact = self.entries.first(where: { $0.names.contains(name) }) {
            return exact.context
        }
        if let dot = name.firstIndex(of: UInt8(ascii: ".")) {
            let wildcard = [UInt8(ascii: "*")] + name[dot...]
            if let entry = self.entries.first(where: { $0.names.contains(wildcard) }) {
                return entry.context
            }
        }
        return self.first
    }
}

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

    /// Reads the files anew.
    /// - Throws: what is wrong with them; the context in use stays.
    package func reload() throws(TLSError) {
        let fresh = try TLSServerContext(self.configuration)
        self.context.withLock { $0 = fresh }
    }
}

private func serverNameCallback(
    ssl: OpaquePointer?,
    alert: UnsafeMutablePointer<CInt>?,
    argument: UnsafeMutableRawPointer?
) -> CInt {
    guard let ssl, let argument, let name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)
    else { return SSL_TLSEXT_ERR_OK }
    let server = Unmanaged<TLSServerContext>.fromOpaque(argument).takeUnretainedValue()
    let octets = UnsafeBufferPointer(start: name, count: strlen(name)).map { UInt8(bitPattern: $0) }
    _ = SSL_set_SSL_CTX(ssl, server.context(for: octets).pointer)
    return SSL_TLSEXT_ERR_OK
}

private func alpnCallback(
    ssl: OpaquePointer?,
    chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    chosenLength: UnsafeMutablePointer<UInt8>?,
    offered: UnsafePointer<UInt8>?,
    offeredLength: UInt32,
    argument: UnsafeMutableRawPointer?
) -> CInt {
    guard let chosen, let chosenLength, let offered, let argument else {
        return SSL_TLSEXT_ERR_ALERT_FATAL
    }
    let server = Unmanaged<TLSServerContext>.fromOpaque(argument).takeUnretainedValue()
    let wanted = server.alpn
    var position = 0
    while position < Int(offeredLength) {
        let length = Int(offered[position])
        guard position + 1 + length <= Int(offeredLength) else { break }
        let name = UnsafeBufferPointer(start: offered + position, count: 1 + length)
        if hasProtocol(wanted, name) {
            chosen.pointee = offered + position + 1
            chosenLength.pointee = UInt8(length)
            return SSL_TLSEXT_ERR_OK
        }
        position += 1 + length
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}

/// Whether a list of names, each with its length before it, has one of them.
private func hasProtocol(_ wanted: [UInt8], _ name: UnsafeBufferPointer<UInt8>) -> Bool {
    var rest = wanted[...]
    while let length = rest.first {
        let own = rest.prefix(1 + Int(length))
        if own.elementsEqual(name) { return true }
        rest = rest.dropFirst(1 + Int(length))
    }
    return false
}
