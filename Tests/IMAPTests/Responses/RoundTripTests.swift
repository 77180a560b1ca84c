import IMAP
import NIOCore
import Support
import Testing

/// What is read, written and read again is the same; what is cut off or changed traps nothing.
@Suite struct RoundTripTests {
    /// Reads a response and writes it anew; nil where it is refused.
    struct Form: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var examples: [String]
        var rewrite: @Sendable (ByteBuffer) -> ByteBuffer?

        init(
            _ name: String,
            _ examples: [String],
            _ rewrite: @escaping @Sendable (ByteBuffer) -> ByteBuffer?
        ) {
            self.testDescription = name
            self.examples = examples
            self.rewrite = rewrite
        }
    }

    static let forms = [
        Form(
            "LIST",
            [
                "* LIST () \"/\" INBOX\r\n", "* LIST (\\HasChildren \\Sent) \".\" \"a b\"\r\n",
                "* LIST (\\Noselect) NIL x\r\n", "* LIST () \"/\" {4}\r\na\r\nb\r\n",
                "* LIST () \"\\\\\" \"a\\\\b\\\"c\"\r\n", "* LIST () \"/\" \"\"\r\n",
                "* LIST () \"/\" {5}\r\n\u{E4}\u{F6}x\r\n",
            ]
        ) { (try? ListResponse($0)).map { $0.encoded(isLsub: false) } },
        Form("LSUB", ["* LSUB () \"/\" \"Zu tun\"\r\n", "* LSUB (\\Noselect) \".\" a.b\r\n"]) {
            (try? ListResponse($0)).map { $0.encoded(isLsub: true) }
        },
        Form(
            "STATUS",
            [
                "* STATUS INBOX (MESSAGES 3 UNSEEN 1)\r\n", "* STATUS \"a b\" ()\r\n",
                "* STATUS x (UIDNEXT 4294967295 UIDVALIDITY 1 RECENT 0)\r\n",
                "* STATUS x (HIGHESTMODSEQ 9223372036854775807 SIZE 0)\r\n",
                "* STATUS x (MAILBOXID (M1-a_b))\r\n", "* STATUS {3}\r\na\rb (MESSAGES 0)\r\n",
            ]
        ) { (try? StatusResponse($0))?.encoded },
        Form(
            "QUOTA",
            [
                "* QUOTA \"\" (STORAGE 10 512)\r\n",
                "* QUOTA \"a b\" (STORAGE 0 0 MESSAGE 1 2)\r\n",
                "* QUOTA x ()\r\n", "* QUOTA x (STORAGE 9223372036854775807 1)\r\n",
            ]
        ) { (try? QuotaResponse($0))?.encoded },
        Form(
            "QUOTAROOT",
            [
                "* QUOTAROOT INBOX \"\"\r\n", "* QUOTAROOT INBOX\r\n",
                "* QUOTAROOT \"a b\" x \"y z\"\r\n",
            ]
        ) { (try? QuotaRootResponse($0))?.encoded },
    ]

    @Test(arguments: forms)
    func `what is written is read as the same`(form: Form) {
        for example in form.examples {
            guard let once = form.rewrite(ByteBuffer(string: example)) else {
                Issue.record("refused: \(example)")
                continue
            }
            let twice = form.rewrite(once)
            #expect(twice == once, "\(example) → \(String(buffer: once))")
        }
    }

    @Test(arguments: forms)
    func `a response that is cut off anywhere is refused`(form: Form) {
        for example in form.examples {
            let octets = Array(example.utf8)
            for count in 0..<octets.count {
                #expect(
                    form.rewrite(ByteBuffer(bytes: octets.prefix(count))) == nil,
                    "\(example) after \(count)"
                )
            }
        }
    }

    @Test(arguments: forms)
    func `an octet behind the line's end is refused`(form: Form) {
        for example in form.examples {
            for more in ["x", "\r\n", " ", "\0"] {
                #expect(
                    form.rewrite(ByteBuffer(string: example + more)) == nil,
                    "\(example)\(more)"
                )
            }
        }
    }

    /// Whatever a changed octet makes of it: what is read is written so that it is read as the same.
    @Test(arguments: forms)
    func `a changed octet makes another response, or none`(form: Form) {
        var random = Seeded(state: 11)
        for example in form.examples {
            let octets = Array(example.utf8)
            for place in octets.indices {
                for _ in 0..<12 {
                    var changed = octets
                    changed[place] = UInt8.random(in: .min ... .max, using: &random)
                    guard let once = form.rewrite(ByteBuffer(bytes: changed)) else { continue }
                    #expect(form.rewrite(once) == once)
                    #expect(once.readableBytesView.suffix(2).elementsEqual([13, 10]))
                }
            }
        }
    }

    @Test(arguments: forms)
    func `octets put in or taken out make another response, or none`(form: Form) {
        var random = Seeded(state: 12)
        let pool = Array("() \"\\{}\r\n\0*%NIL123/".utf8)
        for example in form.examples {
            let octets = Array(example.utf8)
            for _ in 0..<400 {
                var changed = octets
                let place = Int.random(in: 0..<changed.count, using: &random)
                if Bool.random(using: &random) {
                    changed.insert(pool[Int.random(in: pool.indices, using: &random)], at: place)
                } else {
                    let count = Int.random(in: 1...min(4, changed.count - place), using: &random)
                    changed.removeSubrange(place..<place + count)
                }
                guard let once = form.rewrite(ByteBuffer(bytes: changed)) else { continue }
                #expect(form.rewrite(once) == once)
            }
        }
    }

    // MARK: - Each mailbox name

    /// Names that need no quotes, quotes, or a literal.
    static let names = [
        "INBOX", "a b", "", "NIL", "nil", "a\"b", "a\\b", "{3}", "{3+}", "a%b", "a*b", "(a)", "a]b",
        "\u{E4}", "a\tb", "a\r\nb", "* OK x", "a\u{7F}", "~", "&AOk-", "#news.x", "a/b.c\\d",
    ]

    @Test(arguments: names)
    func `a name is the same in each response`(name: String) throws {
        let octets = ByteBuffer(string: name)
        let list = ListResponse(
            attributes: [],
            delimiter: UInt8(ascii: "/"),
            mailbox: octets
        )
        #expect(try ListResponse(list.encoded(isLsub: false)).mailbox == octets)
        let status = StatusResponse(mailbox: octets, items: [(.messages, .number(3))])
        #expect(try StatusResponse(status.encoded).mailbox == octets)
    }

    @Test(arguments: names)
    func `a name in a response that is cut anywhere is the same`(name: String) {
        let list = ListResponse(
            attributes: [ByteBuffer(string: "\\HasNoChildren")],
            delimiter: UInt8(ascii: "/"),
            mailbox: ByteBuffer(string: name)
        )
        let octets = Array(list.encoded(isLsub: false).readableBytesView)
        let whole = Reading([octets])
        #expect(whole.error == nil && whole.responses.count == 1)
        for place in 1..<octets.count {
            let cut = Reading([Array(octets[..<place]), Array(octets[place...])])
            #expect(cut == whole, "\(name) at \(place)")
        }
    }
}
