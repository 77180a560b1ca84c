import Store
import Testing

@testable import gatepost

/// `HOST[:PORT]` in an argument.
@Suite struct EndpointArgumentTests {
    @Test(arguments: [
        ("mail.example", "mail.example", 993), ("mail.example:1993", "mail.example", 1_993),
        ("192.0.2.7", "192.0.2.7", 993), ("192.0.2.7:1", "192.0.2.7", 1),
        ("[::1]", "::1", 993), ("[::1]:1993", "::1", 1_993),
        ("[2001:db8::7]:65535", "2001:db8::7", 65_535), ("localhost:143", "localhost", 143),
    ])
    func `a server is a host and a port`(text: String, host: String, port: Int) throws {
        let endpoint = try Endpoint.argument(text, security: .implicit, port: 993)
        #expect(endpoint == Endpoint(host: host, port: port, tls: .implicit))
    }

    @Test(arguments: Endpoint.Security.allCases)
    func `the security is the one that is asked for`(security: Endpoint.Security) throws {
        #expect(try Endpoint.argument("a.example", security: security, port: 1).tls == security)
    }

    @Test(arguments: [
        "", ":993", "a.example:", "a.example:x", "a.example:1:2", "::1", "2001:db8::7",
        "[::1]:x", "[::1]x", "[::1",
    ])
    func `what is no server is refused, and the error names it`(text: String) {
        let error = #expect(throws: Failure.self) {
            try Endpoint.argument(text, security: .implicit, port: 993)
        }
        let said = error?.description ?? ""
        #expect(said.contains("is not a server: write") || said.contains("port"), "\(said)")
    }
}
