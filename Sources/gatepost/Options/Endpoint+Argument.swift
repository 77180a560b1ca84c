import Store

extension Endpoint {
    /// Reads a server from an argument: `mail.example`, `mail.example:1993` or `[::1]:1993`.
    ///
    /// - Parameters:
    ///   - text: the argument.
    ///   - security: how TLS begins on the connection.
    ///   - port: the port if the text has none.
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
            guard rest.isEmpty || named != nil else {
                throw Failure("\(text) is not a server: write [ADDRESS] or [ADDRESS]:PORT")
            }
            return Endpoint(host: host, port: named ?? port, tls: security)
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let host = parts.first, !host.isEmpty else {
            throw Failure(
                "\(text) is not a server: write HOST or HOST:PORT, an IPv6 address in brackets"
            )
        }
        guard parts.count == 1 || Int(parts[1]) != nil else {
            throw Failure("\(parts[1]) in \(text) is no port: write a number")
        }
        let named = parts.count == 2 ? Int(parts[1]) : nil
        return Endpoint(host: String(host), port: named ?? port, tls: security)
    }
}
