import COpenSSL

@testable import TLS

/// The supported versions.
enum Version: String, CaseIterable, Sendable {
    case tls12 = "TLSv1.2"
    case tls13 = "TLSv1.3"

    var number: CInt {
        switch self {
        case .tls12: TLS1_2_VERSION
        case .tls13: TLS1_3_VERSION
        }
    }
}

extension TLSServerContext {
    static func testing(
        _ certificates: [TLSCertificateFiles]? = nil,
        alpn: [String] = [],
        session: String = "imaps"
    ) throws -> TLSServerContext {
        let mail = try Certificates.shared.get().mail
        return try TLSServerContext(
            TLSServerConfiguration(
                certificates: certificates ?? [mail],
                alpn: alpn,
                sessionContext: session
            )
        )
    }
}

extension TLSClientContext {
    static func testing(
        ca: String? = nil,
        alpn: [String] = [],
        version: Version = .tls13
    ) throws -> TLSClientContext {
        let authority = try Certificates.shared.get().authority
        let client = try TLSClientContext(
            TLSClientConfiguration(caFile: ca ?? authority, alpn: alpn)
        )
        _ = gp_SSL_CTX_set_max_proto_version(client.context.pointer, version.number)
        return client
    }
}
