import IMAP
import NIOCore
import SMTP
import Session
import Support
import Testing

/// T473: parsing twice as many octets takes at most about twice as long, in one piece and in single
/// octets.
@Suite(.serialized) struct LinearTimeTests {
    struct Shape: CustomTestStringConvertible, Sendable {
        var testDescription: String
        /// The text before the repeated part.
        var head = ""
        var part: String
        var tail = ""

        init(_ head: String, _ part: String, _ tail: String) {
            self.testDescription = "\(head.prefix(30))\(part.prefix(40))…\(tail.prefix(10))"
            self.head = head
            self.part = part
            self.tail = tail
        }

        func octets(_ count: Int) -> ByteBuffer {
            let parts = max(
                1,
                (count - self.head.utf8.count - self.tail.utf8.count) / self.part.utf8.count
            )
            return ByteBuffer(
                string: self.head + String(repeating: self.part, count: parts) + self.tail
            )
        }
    }

    private static let chunks = Linearity.isThorough ? [1, 64, 1 << 20] : [1]

    /// Most limits of a connection are lower than this megabyte.
    private static let size = 1_024 * 1_024

    /// - Parameter chunk: octets that arrive together. Small chunks measure the work for each
    ///   chunk; large ones measure the work that is repeated for all octets so far.
    private func expectLinear(
        _ shape: Shape,
        chunk: Int = 1 << 20,
        upTo size: Int = size,
        _ work: @escaping (ByteBuffer) -> Void
    ) {
        let isLarge = Linearity.isThorough && chunk > 1
        let least = !isLarge ? 16 * 1_024 : chunk < size ? size : 64 * 1_024
        let ratio = Linearity.ratio(from: least, upTo: size) { count in
            let octets = shape.octets(count)
            return { work(octets) }
        }
        #expect(ratio < Linearity.most, "\(shape.testDescription)")
    }

    // MARK: - IMAP

    static let commands = [
        Shape("A SEARCH ", "ALL ", "ALL"), Shape("A SEARCH ", "(", ""),
        Shape("A SEARCH ", "NOT ", "ALL"),
        Shape("A SEARCH ", "OR ALL ", "ALL"), Shape("A SEARCH ", "SUBJECT \"\\\\\" ", "ALL"),
        Shape("A SEARCH SUBJECT \"", "\\\"", "\""), Shape("A SEARCH ", "BODY {1}\r\nx ", "ALL"),
        Shape("A FETCH ", "1:*,", "1 FLAGS"), Shape("A FETCH ", "1,3,5,", "7 FLAGS"),
        Shape("A FETCH 1 (", "FLAGS ", "UID)"), Shape("A FETCH 1 ", "(", ""),
        Shape("A FETCH 1 BODY[HEADER.FIELDS (", "a ", "b)]"), Shape("A FETCH 1 BODY[", "1.", "1]"),
        Shape("A FETCH 1 (", "BODY[1]<0.1> ", "UID)"), Shape("A STORE 1 FLAGS (", "x ", "y)"),
        Shape("A LIST \"\" (", "a ", "b)"), Shape("A LIST \"\" ", "*", ""),
        Shape("A LIST (", "SUBSCRIBED ", ") \"\" *"),
        Shape("A STATUS INBOX (", "MESSAGES ", "UNSEEN)"), Shape("A SELECT ", "a/", "b"),
        Shape("A SELECT \"", "&AOk-", "\""), Shape("A ID (", "\"a\" NIL ", "\"b\" NIL)"),
        Shape("A NOTIFY SET (SELECTED ", "(MessageNew)", ")"),
        Shape("A NOTIFY SET ", "(PERSONAL NONE) ", ""),
        Shape("A SORT (", "DATE ", "DATE) UTF-8 ALL"), Shape("A ENABLE ", "X ", "Y"),
        Shape("", "A", " NOOP"),
        Shape("A LOGIN \"", "x", "\" y"), Shape("A AUTHENTICATE PLAIN ", "QUJD", "="),
        Shape("A SETACL INBOX x ", "lr", ""), Shape("A APPEND INBOX (", "a ", "b) {5}\r\n"),
    ]

    @Test(arguments: commands)
    func `a command is parsed in linear time`(shape: Shape) {
        self.expectLinear(shape) { _ = CommandParser.parse($0) }
        self.expectLinear(shape) { _ = CommandParser.parseAppendHead(first: $0) }
    }

    /// Many lines, or one line with many literals, and none that is complete.
    static let input = [
        Shape("", "A NOOP\r\n", ""), Shape("A SEARCH ", "BODY {1+}\r\nx ", "ALL\r\n"),
        Shape("A ", "x", ""),
        Shape("A SEARCH BODY {9000000+}\r\n", "x", ""), Shape("A \"", "\\\"", ""),
        Shape("A ", "{", ""),
        Shape("A ", "{1+}\r\n", ""),
    ]

    @Test(arguments: input, chunks)
    func `commands are framed in linear time`(shape: Shape, chunk: Int) {
        self.expectLinear(shape, chunk: chunk, upTo: 256 * 1_024) { octets in
            var limits = CommandReader.Limits.afterLogin
            limits.maximumLineOctets = 1 << 24
            limits.maximumLiteralOctets = 1 << 24
            limits.maximumCommandOctets = 1 << 24
            limits.maximumLiterals = 1 << 24
            var reader = CommandReader(limits: limits)
            Self.feed(octets, chunk) { piece throws(SyntaxError) in
                reader.receive(piece)
                while let event = try reader.next(), event != .discarded {}
            }
        }
    }

    static let responses = [
        Shape("* OK [", "x", "] y\r\n"), Shape("* CAPABILITY ", "A ", "B\r\n"),
        Shape("* FLAGS (", "a ", "b)\r\n"),
        Shape("* LIST (", "\\a ", "\\b) \"/\" INBOX\r\n"),
        Shape("* LIST () \"/\" \"", "a/", "\"\r\n"),
        Shape("* NAMESPACE (", "(\"a\" \"/\")", ") NIL NIL\r\n"),
        Shape("* NAMESPACE ", "(", "\r\n"),
        Shape("* STATUS a (", "MESSAGES 1 ", "UNSEEN 1)\r\n"),
        Shape("* QUOTA a (", "STORAGE 1 2 ", "X 1 2)\r\n"),
        Shape("* QUOTAROOT INBOX ", "a ", "b\r\n"), Shape("* 1 FETCH (", "FLAGS () ", "UID 1)\r\n"),
        Shape("* 1 FETCH (", "UID 1 ", "UID 1)\r\n"), Shape("* 1 FETCH (ENVELOPE ", "(", "\r\n"),
        Shape("* 1 FETCH (X \"", "\\\"", "\")\r\n"),
        Shape("* 1 FETCH (", "BODY[] {1}\r\nx ", "UID 1)\r\n"),
        Shape("* SEARCH ", "1 ", "2\r\n"), Shape("* ESEARCH (TAG \"A\") ", "ALL 1 ", "UID\r\n"),
        Shape("A OK [COPYUID 1 ", "1,", "2 3] x\r\n"), Shape("A OK [APPENDUID ", "1", " 1] x\r\n"),
    ]

    @Test(arguments: responses, chunks)
    func `responses are framed and parsed in linear time`(shape: Shape, chunk: Int) {
        self.expectLinear(shape, chunk: chunk, upTo: 256 * 1_024) { octets in
            var reader = ResponseReader()
            var renamer = FetchItemRenamer()
            Self.feed(octets, chunk) { piece throws(SyntaxError) in
                reader.receive(piece)
                while let piece = try reader.next() { _ = renamer.rename(piece.octets) }
            }
        }
        self.expectLinear(shape) { octets in
            _ = try? ResponseHead(octets)
            _ = try? CapabilityResponse(octets)
            _ = try? FlagsResponse(octets)
            _ = try? ListResponse(octets)
            _ = try? NamespaceResponse(octets)
            _ = try? StatusResponse(octets)
            _ = try? QuotaResponse(octets)
            _ = try? QuotaRootResponse(octets)
            _ = try? FetchResponse(octets)
            _ = try? EsearchHead(octets)
            _ = try? ResponseText(
                octets.getSlice(at: 5, length: octets.readableBytes - 5) ?? octets
            )
        }
    }

    static let listings = [
        "LIST (SUBSCRIBED RECURSIVEMATCH) \"\" A*", "LIST \"\" (A* A% A/* A/%) RETURN (SUBSCRIBED)",
        "LSUB \"\" A*", "LSUB \"\" A%",
        "LIST (SPECIAL-USE) \"\" A* RETURN (SUBSCRIBED CHILDREN MYRIGHTS)",
    ]

    /// Lists a number of folders, and half as many. All of them are subscribed.
    @Test(arguments: listings, [["A"], ["A/B/C/D/", "A/B/C/E/"]])
    func `a listing is written in linear time`(command: String, parents: [String]) throws {
        let bench = try AttackHarness(state: "own")
        let ratio = Linearity.ratio(from: 1_000, upTo: 1_000) { count in
            func answer(_ name: String) -> [UInt8] {
                let folders = (0..<count).map { number in
                    "* \(name) () \"/\" \(parents[number % parents.count])Ordner-\(number)\r\n"
                }
                return Array((folders.joined() + "\\T OK x\r\n").utf8)
            }
            let (list, lsub) = (answer("LIST"), answer("LSUB"))
            return {
                var bench = bench
                bench.answerNext(with: list, lsub)
                bench.send(Array("A1 \(command)\r\n".utf8), chunk: .max)
                #expect(bench.answer("A1")?.hasPrefix("OK") ?? false)
            }
        }
        #expect(ratio < Linearity.most)
    }

    // MARK: - SMTP

    static let headers = [
        Shape("From: ", "a@b.example, ", "c@d.example\r\n"),
        Shape("From: ", "(", ") a@b.example\r\n"),
        Shape("From: a@b.example\r\nSubject: ", "x\r\n ", "y\r\n"),
        Shape("From: ", "\r\n ", "a@b.example\r\n"),
        Shape("From: \"", "\\\"", "\" <a@b.example>\r\n"),
        Shape("From: ", "=?utf-8?q?x?= ", "<a@b.example>\r\n"),
        Shape("From: ", "a ", "<a@b.example>\r\n"), Shape("From: ", "a.", "b@c.example\r\n"),
        Shape("From: x@", "a.", "b\r\n"),
        Shape("From: ", "<", "\r\n"), Shape("From: g: ", "a@b.example, ", ";\r\n"),
        Shape("From: a@b.example\r\n", "X: y\r\n", ""),
        Shape("From: a@b.example\r\n", "x", "\r\n"),
        Shape("From: a@b.example\r\nSubject: ", "x", "\r\n"),
        Shape("From: =?utf-8?b?", "QUJD", "?= <a@b.example>\r\n"),
        Shape("From: a@b.example\r\n", "Resent-From: a@b.example\r\n", ""),
    ]

    @Test(arguments: headers, chunks)
    func `headers are parsed in linear time`(shape: Shape, chunk: Int) {
        self.expectLinear(shape, chunk: chunk, upTo: Header.maximumOctets) { octets in
            var collector = HeaderCollector()
            Self.feed(octets, chunk) { piece throws(Header.Fault) in
                _ = try collector.receive(piece)
            }
            if let header = try? Header(octets) { _ = try? Authors(header, isInternational: true) }
        }
    }

    static let displayNames = [
        Shape(" \"", "a@b. ", "\" <a@b.example>"), Shape(" \"", "a@b", "\" <a@b.example>"),
        Shape(" \"", "@ , ", "a.b\" <a@b.example>"), Shape(" \"a@", "b. ", "\" <a@b.example>"),
        Shape(" \"", "(", "\" <a@b.example>"), Shape(" \"", "a(", "\" <a@b.example>"),
        Shape(" \"", "(@a.b) ", "\" <a@b.example>"), Shape(" ", "(@) ", "a@b.example"),
        Shape(" \"", "a@b.example ", "\" <a@b.example>"), Shape(" \"", ")", "\" <a@b.example>"),
        Shape(" \"", "<a@b.example> ", "\" <a@b.example>"), Shape(" \"", "<", "\" <a@b.example>"),
        Shape(" \"", "<a@b.example", "\" <a@b.example>"), Shape(" \"@", "dr. ", "\" <a@b.example>"),
        Shape(" \"", "🏴\u{E0067}", "\" <a@b.example>"), Shape(" \"", "ü@ü.", "\" <a@b.example>"),
    ]

    @Test(arguments: displayNames)
    func `display names are parsed in linear time`(shape: Shape) {
        self.expectLinear(shape, upTo: 256 * 1_024) { octets in
            let body = Array(octets.readableBytesView)
            _ = try? AddressParser.mailboxes(body, isInternational: true)
        }
    }

    static let mail = [
        Shape("", "x\r\n", ""), Shape("", "..\r\n", ""), Shape("", ".\r\n", ""), Shape("", "x", ""),
        Shape("", "\r", ""),
        Shape("", "\r\n", ""), Shape("", "250-x\r\n", "250 x\r\n"), Shape("", "250 x\r\n", ""),
    ]

    @Test(arguments: mail, chunks)
    func `messages, lines and replies are read in linear time`(shape: Shape, chunk: Int) {
        self.expectLinear(shape, chunk: chunk, upTo: 256 * 1_024) { octets in
            for form in [MessageStream.Form.dotted, .chunked] {
                var stream = MessageStream(form)
                var stuffer = DotStuffing()
                Self.feed(octets, chunk) { piece in
                    var piece = piece
                    while let part = stream.next(&piece) {
                        if case .octets(let octets) = part { _ = stuffer.stuff(octets) }
                    }
                }
            }
            var replies = ServerReplyReader()
            Self.feed(octets, chunk) { piece throws(SubmissionError) in
                replies.receive(piece)
                while let reply = try replies.next(), reply.code > 0 {}
            }
        }
    }

    static let lines = [
        Shape("MAIL FROM:<", "a", "@b.example>"), Shape("MAIL FROM:<a@b.example>", " X=Y", ""),
        Shape("RCPT TO:<@", "a,@", ":b@c.example>"),
        Shape("MAIL FROM:<\"", "\\\"", "\"@b.example>"), Shape("EHLO ", "a.", ""),
        Shape("AUTH PLAIN ", "QUJD", ""), Shape("", "A", ""),
    ]

    @Test(arguments: lines)
    func `a line of a submission is parsed in linear time`(shape: Shape) {
        self.expectLinear(shape) { _ = try? SubmissionCommand(line: Array($0.readableBytesView)) }
    }

    // MARK: - Names

    static let names = [
        Shape("", "&AOk-", ""), Shape("&", "AOkA6QDp", "-"), Shape("", "&-", ""),
        Shape("", "a/", "b"), Shape("", "\u{E9}", ""), Shape("", "QUJD", ""),
    ]

    @Test(arguments: names)
    func `a name is decoded in linear time`(shape: Shape) {
        self.expectLinear(shape) { octets in
            let octets = Array(octets.readableBytesView)
            _ = ModifiedUTF7.encode(octets)
            _ = ModifiedUTF7.decode(octets)
        }
    }

    /// Feeds a reader until all octets are read, or it throws.
    private static func feed<Failure: Error>(
        _ octets: ByteBuffer,
        _ chunk: Int,
        _ body: (ByteBuffer) throws(Failure) -> Void
    ) {
        var octets = octets
        while let piece = octets.readSlice(length: min(chunk, octets.readableBytes)),
            piece.readableBytes > 0
        {
            guard (try? body(piece)) != nil else { return }
        }
    }
}
