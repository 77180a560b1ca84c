import Store

extension Endpoint {
    /// A server in an argument: `mail.example`, `mail.example:1993`, `[::1]:1993`.
    ///
    /// - Parameter port: where the text has none.
    /// - Throws: ``Failure`` for text that is no server.
    static func argument(
        _ text: String,
        security: Endpoint.Security,
        port: Int
    ) throws -> Endpoint {
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            let host = String(text[text.index(after: text.startIndex)..<end])
            let rest = text[text.index(after: end)...]
            let named = rest.first == ":" ? Int(rest.dropFirst()) : nil
            guard rest.isEmpty || named != nil else { throw Failure("\(text) is no server") }
            return Endpoint(host: host, port: named ?? port, tls: security)
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let host = parts.first, !host.isEmpty else {
            throw Failure(
                "\(text) is no server: HOST or HOST:PORT, an IPv6 address in brackets"
            )
        }
        guard parts.count == 1 || Int(parts[1]) != nil else {
            throw Failure("\(parts[1]) is no port")
        }
        let named = parts.count == 2 ? Int(parts[1]) : nil
        return Endpoint(host: String(host), port: named ?? port, tls: security)
    }
}
