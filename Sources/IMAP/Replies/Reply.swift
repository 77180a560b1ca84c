package import struct NIOCore.ByteBuffer
package import struct NIOCore.ByteBufferAllocator

/// The lines that the gateway itself sends to a client.
package enum Reply {
    /// The purpose of a continuation.
    package enum Request: Equatable, Sendable {
        case literal
        /// - Parameter challenge: base64; empty for the first challenge of most mechanisms.
        case sasl(challenge: [UInt8])
        case idling
    }

    /// `a1 NO [NOPERM] Permission denied`
    package static func tagged(_ tag: ByteBuffer, text: ReplyText) -> ByteBuffer {
        var line = ByteBufferAllocator().buffer(capacity: 128)
        line.writeImmutableBuffer(tag)
        line.writeInteger(UInt8(ascii: " "))
        text.encode(into: &line)
        line.writeStaticString("\r\n")
        return line
    }

    /// `* BYE Logging out`
    package static func untagged(_ text: ReplyText) -> ByteBuffer {
        var line = ByteBuffer()
        line.writeStaticString("* ")
        text.encode(into: &line)
        line.writeStaticString("\r\n")
        return line
    }

    /// `+ idling`
    package static func continuation(_ request: Request) -> ByteBuffer {
        switch request {
        case .literal: ByteBuffer(staticString: "+ Ready\r\n")
        case .sasl(let challenge): ByteBuffer(bytes: Array("+ ".utf8) + challenge + [0x0D, 0x0A])
        case .idling: ByteBuffer(staticString: "+ idling\r\n")
        }
    }

    /// The greeting with its capabilities (RFC 9051 §7.1.1).
    package static func greeting(capabilities: [String]) -> ByteBuffer {
        ByteBuffer(
            string: "* OK [CAPABILITY \(capabilities.joined(separator: " "))] Gatepost is ready\r\n"
        )
    }

    /// `* CAPABILITY IMAP4rev1 …` (RFC 9051 §7.2.2)
    package static func capability(_ capabilities: [String]) -> ByteBuffer {
        ByteBuffer(string: "* CAPABILITY \(capabilities.joined(separator: " "))\r\n")
    }

    /// `* ENABLED CONDSTORE` (RFC 9051 §7.2.1)
    package static func enabled(_ capabilities: [String]) -> ByteBuffer {
        ByteBuffer(string: (["* ENABLED"] + capabilities).joined(separator: " ") + "\r\n")
    }

    /// `* ID ("name" "Gatepost")` (RFC 2971 §3.2)
    package static func id(name: String) -> ByteBuffer {
        ByteBuffer(string: "* ID (\"name\" \"\(name)\")\r\n")
    }

    /// The progress of a long command (RFC 9585 §4).
    ///
    ///     "INPROGRESS" SP "(" inprogress-tag SP inprogress-state ")"
    ///
    /// - Parameter total: the number of messages; 0 if it is unknown.
    package static func progress(tag: ByteBuffer, done: Int, of total: Int) -> ByteBuffer {
        var line = ByteBuffer(staticString: "* OK [INPROGRESS (")
        // `]` would end the response code early.
        if tag.readableBytesView.contains(UInt8(ascii: "]")) {
            line.writeStaticString("NIL")
        } else {
            line.writeQuotedOrLiteral(tag)
        }
        line.writeString(total > 0 ? " \(done) \(total)" : " NIL NIL")
        line.writeStaticString(")] Still copying\r\n")
        return line
    }

    /// `* FLAGS (\Seen)` (RFC 9051 §7.3.5)
    package static func flags(_ flags: [ByteBuffer]) -> ByteBuffer {
        var line = ByteBuffer(staticString: "* FLAGS ")
        line.writeFlags(flags)
        line.writeStaticString("\r\n")
        return line
    }

    /// The answer to a LIST for the hierarchy delimiter.
    package static func listRoot(delimiter: UInt8) -> ByteBuffer {
        ListResponse(
            attributes: [ByteBuffer(staticString: "\\Noselect")],
            delimiter: delimiter,
            mailbox: ByteBuffer()
        ).encoded(isLsub: false)
    }

    /// `* NAMESPACE (("" "/")) (("Other Users/" "/")) (("Shared/" "/"))` (RFC 9051 §7.3.2)
    package static func namespace(
        personal: [[UInt8]],
        others: [[UInt8]],
        shared: [[UInt8]],
        delimiter: UInt8
    ) -> ByteBuffer {
        var line = ByteBuffer(staticString: "* NAMESPACE")
        for prefixes in [personal, others, shared] {
            guard !prefixes.isEmpty else {
                line.writeStaticString(" NIL")
                continue
            }
            line.writeStaticString(" (")
            for prefix in prefixes {
                line.writeStaticString("(")
                line.writeQuotedOrLiteral(ByteBuffer(bytes: prefix))
                line.writeStaticString(" ")
                line.writeDelimiter(delimiter)
                line.writeStaticString(")")
            }
            line.writeStaticString(")")
        }
        line.writeStaticString("\r\n")
        return line
    }

    /// The start of an ESEARCH response: `* ESEARCH (TAG "a3")`.
    package static func esearchHead(tag: ByteBuffer) -> ByteBuffer {
        var head = ByteBuffer(staticString: "* ESEARCH (TAG \"")
        for octet in tag.readableBytesView where octet != UInt8(ascii: "\"") {
            head.writeInteger(octet)
        }
        head.writeStaticString("\")")
        return head
    }

    /// `* MYRIGHTS INBOX lr` (RFC 4314 §3.8).
    package static func myRights(_ mailbox: ByteBuffer, rights: String) -> ByteBuffer {
        var line = ByteBuffer(staticString: "* MYRIGHTS ")
        line.writeAstring(mailbox)
        line.writeStaticString(" ")
        line.writeAstring(ByteBuffer(string: rights))
        line.writeStaticString("\r\n")
        return line
    }

    /// `* ACL INBOX anna lr bob lrs` (RFC 4314 §3.6).
    package static func acl(
        _ mailbox: ByteBuffer,
        entries: [(identifier: String, rights: String)]
    ) -> ByteBuffer {
        var line = ByteBuffer(staticString: "* ACL ")
        line.writeAstring(mailbox)
        for entry in entries {
            line.writeStaticString(" ")
            line.writeAstring(ByteBuffer(string: entry.identifier))
            line.writeStaticString(" ")
            line.writeAstring(ByteBuffer(string: entry.rights))
        }
        line.writeStaticString("\r\n")
        return line
    }

    /// `* LISTRIGHTS INBOX anna "" l r s` (RFC 4314 §3.7).
    package static func listRights(
        _ mailbox: ByteBuffer,
        identifier: ByteBuffer,
        required: String,
        optional: [String]
    ) -> ByteBuffer {
        var line = ByteBuffer(staticString: "* LISTRIGHTS ")
        line.writeAstring(mailbox)
        line.writeStaticString(" ")
        line.writeAstring(identifier)
        for rights in [required] + optional {
            line.writeStaticString(" ")
            line.writeAstring(ByteBuffer(string: rights))
        }
        line.writeStaticString("\r\n")
        return line
    }

    /// A server's octets as text for a person: shortened, with `?` for octets that are not
    /// printable.
    package static func printable(_ octets: ByteBuffer, maximumOctets: Int) -> String {
        let shown = octets.readableBytesView.prefix(maximumOctets).filter { $0 != 13 && $0 != 10 }
        return String(
            decoding: shown.map { $0 >= 0x20 && $0 < 0x7F ? $0 : UInt8(ascii: "?") },
            as: UTF8.self
        )
    }
}
