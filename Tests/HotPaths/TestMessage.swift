/// A message of a usual shape.
enum TestMessage {
    private static let header = """
        Return-Path: <\(Bench.user)>
        Date: Mon, 02 Nov 2026 09:30:00 +0100
        From: Anna Beispiel <\(Bench.user)>
        To: Bob Beispiel <bob@mandant.example>, "Carla, Kanzlei" <carla@mandant.example>
        Cc: dora@mandant.example
        Subject: =?utf-8?q?Schrifts=C3=A4tze_und_Anlagen?=
        Message-ID: <20261102093000.4711@kanzlei.example>
        In-Reply-To: <20261101120000.815@mandant.example>
        References: <20261030080000.1@mandant.example>
         <20261101120000.815@mandant.example>
        User-Agent: Example Mail 1.0
        MIME-Version: 1.0
        Content-Type: text/plain; charset=utf-8
        Content-Transfer-Encoding: 7bit
        """
    private static let line = "Twelve words of text on a line, as most mail programs wrap them."
    /// In each so many lines one begins with a dot.
    private static let dotInterval = 200

    /// - Parameter octets: the size of the whole message.
    static func text(octets: Int) -> String {
        var text = Self.header.split(separator: "\n").joined(separator: "\r\n") + "\r\n\r\n"
        var count = 0
        while text.utf8.count + Self.line.utf8.count + 5 < octets {
            count += 1
            text += (count.isMultiple(of: Self.dotInterval) ? "." : "") + Self.line + "\r\n"
        }
        return text + String(repeating: "x", count: octets - 2 - text.utf8.count) + "\r\n"
    }

    /// The same as it goes into DATA: with stuffed dots, and the line that ends it (RFC 5321
    /// §4.5.2).
    static func data(octets: Int) -> [UInt8] {
        Array((Self.text(octets: octets).replacing("\r\n.", with: "\r\n..") + ".\r\n").utf8)
    }
}
