import Testing

/// A MOVE of more messages than one command can name: the originals are marked and expunged by several commands, and
/// all are marked before the first is expunged.
@Suite struct TransferBatchesTests {
    /// No two UIDs are adjacent, so that each is a range of its own.
    private static let uids = (1...351).map { $0 * 2 }

    private static func set(_ uids: some Sequence<Int>) -> String {
        uids.map(String.init).joined(separator: ",")
    }

    private static let opening = """
        @capabilities bob IMAP4REV1 LITERAL+ UIDPLUS UNSELECT MULTIAPPEND
        @grant bob account lrswite
        C: a1 SELECT INBOX
        U anna> T SELECT INBOX
        U anna< * OK [UIDVALIDITY 9] Ok
        S: * OK [UIDVALIDITY 9] Ok
        U anna< T OK [READ-WRITE] Selected.
        S: a1 OK [READ-WRITE] SELECT completed
        C: a2 UID MOVE 1:* "Other Users/bob@kanzlei.example/INBOX"
        U bob> T SELECT INBOX
        U bob< * OK [UIDVALIDITY 70] Ok
        U bob< * OK [UIDNEXT 8] Ok
        U bob< T OK [READ-WRITE] Selected.
        U anna> T UID FETCH 1:* (UID FLAGS INTERNALDATE)
        """

    /// The dialog from the first message to the target's tagged response.
    private static var passing: String {
        let date = "\"17-Jul-1996 02:44:25 -0700\""
        var lines = Self.uids.map { "U anna< * 1 FETCH (UID \($0) FLAGS () INTERNALDATE \(date))" }
        lines += ["U anna< T OK Done.", "! journal record MOVE \(Self.uids)"]
        for uid in Self.uids {
            let announcement = uid == 2 ? "T APPEND INBOX" : "x"
            lines += [
                "U anna> T UID FETCH \(uid) (UID BODY.PEEK[])",
                "U anna< * 1 FETCH (UID \(uid) BODY[] {1}\\r\\nx)",
                "U bob> \(announcement) \(date) {1}",
                "U bob< + OK",
                "U anna< T OK Done.",
            ]
        }
        lines += [
            "! journal append 1 \(Self.uids)", "U bob> x", "U bob< T OK [APPENDUID 70 8:358] Done.",
        ]
        return lines.joined(separator: "\n")
    }

    @Test(arguments: [50, Int.max])
    func `all originals are marked before the first is expunged`(chunk: Int) throws {
        let (first, last) = (Self.set(Self.uids.dropLast()), Self.set(Self.uids.suffix(1)))
        let ending = """
            ! journal confirm \(Self.uids) stored 8:358
            U anna> T UID STORE \(first) +FLAGS.SILENT (\\Deleted)
            U anna< T OK Done.
            U anna> T UID STORE \(last) +FLAGS.SILENT (\\Deleted)
            U anna< T OK Done.
            S: * OK [COPYUID 70 \(Self.set(Self.uids)) 8:358] Ok
            U anna> T UID EXPUNGE \(first)
            U anna< T OK Done.
            U anna> T UID EXPUNGE \(last)
            U anna< T OK Done.
            ! journal forget
            U bob> T UNSELECT
            S: a2 OK MOVE completed
            """
        let text = [Self.opening, Self.passing, ending].joined(separator: "\n")
        var dialog = try Dialog(text, name: "batches")
        try dialog.run(chunk: chunk)
    }

    @Test func `a refused second STORE removes the marks of the first`() throws {
        let (first, last) = (Self.set(Self.uids.dropLast()), Self.set(Self.uids.suffix(1)))
        let ending = """
            ! journal confirm \(Self.uids) stored 8:358
            U anna> T UID STORE \(first) +FLAGS.SILENT (\\Deleted)
            U anna< T OK Done.
            U anna> T UID STORE \(last) +FLAGS.SILENT (\\Deleted)
            U anna< T NO Not now
            U anna> T UID STORE \(first) -FLAGS.SILENT (\\Deleted)
            U anna< T OK Done.
            U anna> T UID STORE \(last) -FLAGS.SILENT (\\Deleted)
            U anna< T OK Done.
            ! journal resolve begun 1 stored 8:358
            U bob> T UNSELECT
            S: a2 NO Not now
            """
        let text = [Self.opening, Self.passing, ending].joined(separator: "\n")
        var dialog = try Dialog(text, name: "refused batch")
        try dialog.run(chunk: .max)
    }
}
