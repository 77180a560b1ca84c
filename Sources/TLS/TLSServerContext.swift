import COpenSSL

/// What a listener's handshakes need: its certificates, chosen by the name a client asks for.
package final class TLSServerContext: Sendable {
    /// One certificate's context and the names it is for.
    private struct Entry: Sendable {
        let context: SSLContext
        let names: CertificateNames
    }

    /// How long a client may come back without a full handshake, in seconds; RFC 8446 §4.6.1
    /// allows seven days. The keys of the tickets live as long as this object.
    private static let sessionSeconds = 2 * 60 * 60

    private let entries: [Entry]
    /// The context of a connection until its client has named a host.
    let first: SSLContext
    fileprivate let protocols: ApplicationProtocols

    /// - Throws: `unusableFile`, `keyDoesNotMatch`.
    package init(_ configuration: TLSServerConfiguration) throws(TLSError) {
        self.protocols = ApplicationProtocols(configuration.alpn)
        var entries: [Entry] = []
        for files in configuration.certificates {
            let context = try Self.context(files, sessionContext: configuration.sessionContext)
            entries.append(Entry(context: context, names: CertificateNames(of: context)))
        }
        guard let first = entries.first else { throw .unusableFile("no certificate") }
        self.entries = entries
        self.first = first.context
        for entry in entries { self.addCallbacks(to: entry.context.pointer) }
    }

    private static func context(
        _ files: TLSCertificateFiles,
        sessionContext: String
    ) throws(TLSError) -> SSLContext {
        let context = try SSLContext(method: TLS_server_method())
        let pointer = context.pointer
        try Self.load(files, into: pointer)
        _ = SSL_CTX_set_options(pointer, gp_SSL_OP_CIPHER_SERVER_PREFERENCE)
        // One ticket is enough for a client that comes back; each costs a message.
        _ = SSL_CTX_set_num_tickets(pointer, 1)
        _ = SSL_CTX_set_timeout(pointer, Self.sessionSeconds)
        // Tickets hold the session; a cache here would hold it a second time.
        _ = gp_SSL_CTX_set_session_cache_mode(pointer, Int(SSL_SESS_CACHE_OFF))
        // A digest, because the identifier has a fixed size and two names may begin alike.
        let name = Array(sessionContext.utf8)
        var identifier = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        guard SHA256(name, name.count, &identifier) != nil,
            SSL_CTX_set_session_id_context(pointer, identifier, UInt32(identifier.count)) == 1
        else { throw .unusableSettings }
        return context
    }

    private static func load(
        _ files: TLSCertificateFiles,
        into pointer: OpaquePointer
    ) throws(TLSError) {
        guard SSL_CTX_use_certificate_chain_file(pointer, files.certificate) == 1 else {
            _ = ErrorQueue.drain()
            throw .unusableFile(files.certificate)
        }
        guard SSL_CTX_use_PrivateKey_file(pointer, files.key, SSL_FILETYPE_PEM) == 1 else {
            switch ErrorQueue.drain().code {
            case X509_R_KEY_VALUES_MISMATCH, X509_R_KEY_TYPE_MISMATCH:
                throw .keyDoesNotMatch(files.key)
            default:
                throw .unusableFile(files.key)
            }
        }
        guard SSL_CTX_check_private_key(pointer) == 1 else {
            _ = ErrorQueue.drain()
            throw .keyDoesNotMatch(files.key)
        }
    }

    private func addCallbacks(to context: OpaquePointer) {
        // The callbacks borrow this object; it outlives every connection, each of which holds it.
        let own = Unmanaged.passUnretained(self).toOpaque()
        gp_SSL_CTX_set_tlsext_servername_callback(context, nameReceived)
        gp_SSL_CTX_set_tlsext_servername_arg(context, own)
        guard !self.protocols.isEmpty else { return }
        let received: ProtocolOffer.Callback = { _, chosen, chosenLength, list, length, argument in
            guard let chosen, let list, let argument else { return SSL_TLSEXT_ERR_ALERT_FATAL }
            let offer = ProtocolOffer(
                list: UnsafeBufferPointer(start: list, count: Int(length)),
                chosen: chosen,
                chosenLength: chosenLength
            )
            return protocolsReceived(offer, argument: argument)
        }
        SSL_CTX_set_alpn_select_cb(context, received, own)
    }

    /// The context for a name: an exact match, else a wildcard for one label, else the first.
    fileprivate func context(for name: [UInt8]) -> SSLContext {
        let name = CertificateNames.normalized(name)
        let entry =
            self.entries.first { $0.names.hasExactly(name) }
            ?? self.entries.first { $0.names.hasWildcard(for: name) }
        return entry?.context ?? self.first
    }
}

/// The server_name extension has been read (RFC 6066 §3).
private func nameReceived(
    ssl: OpaquePointer?,
    alert: UnsafeMutablePointer<CInt>?,
    argument: UnsafeMutableRawPointer?
) -> CInt {
    guard let ssl, let argument, let name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)
    else { return SSL_TLSEXT_ERR_OK }
    let server = Unmanaged<TLSServerContext>.fromOpaque(argument).takeUnretainedValue()
    let octets = UnsafeBufferPointer(start: name, count: strlen(name)).map(UInt8.init(bitPattern:))
    _ = SSL_set_SSL_CTX(ssl, server.context(for: octets).pointer)
    return SSL_TLSEXT_ERR_OK
}

/// The application protocols that a client offers, and where the choice is written (RFC 7301 §3.1).
private struct ProtocolOffer {
    /// What OpenSSL calls.
    typealias Callback =
        @convention(c) (
            OpaquePointer?, UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
            UnsafeMutablePointer<UInt8>?,
            UnsafePointer<UInt8>?, UInt32, UnsafeMutableRawPointer?
        ) -> CInt

    /// As it came: an octet with the length before each name.
    var list: UnsafeBufferPointer<UInt8>
    /// The chosen name, a part of the list.
    var chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>
    var chosenLength: UnsafeMutablePointer<UInt8>?
}

/// The client offers application protocols; without a common one the handshake ends with the
/// alert no_application_protocol (RFC 7301 §3.2).
private func protocolsReceived(_ offer: ProtocolOffer, argument: UnsafeMutableRawPointer) -> CInt {
    let server = Unmanaged<TLSServerContext>.fromOpaque(argument).takeUnretainedValue()
    guard let name = server.protocols.choose(from: offer.list), let start = offer.list.baseAddress
    else { return SSL_TLSEXT_ERR_ALERT_FATAL }
    offer.chosen.pointee = start + name.lowerBound
    offer.chosenLength?.pointee = UInt8(clamping: name.count)
    return SSL_TLSEXT_ERR_OK
}
