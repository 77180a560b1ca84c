import Access
import Testing

/// Rights by their letters, octets of names, and other small values of the model.
@Suite struct RightsTests {
    @Test func `each letter is one right, in the order of RFC 4314`() throws {
        let order = "lrswipkxtea"
        #expect(Rights.all.letters == order)
        var together: Rights = []
        for letter in order {
            let right = try #require(Rights(letters: String(letter)))
            #expect(right.letters == String(letter))
            #expect(together.isDisjoint(with: right))
            together.formUnion(right)
        }
        #expect(together == .all)
        // Whatever order they are written in, and however often.
        #expect(Rights(letters: "wslrr")?.letters == "lrsw")
        #expect(Rights(letters: "") == [])
    }

    @Test(arguments: ["L", "c", "d", "lr ", "0", "lrz", "é", "-l", "+l"])
    func `another letter is no right`(letters: String) {
        #expect(Rights(letters: letters) == nil)
    }

    @Test func `the named sets contain each other, and none but all has a`() {
        #expect(Rights.view.letters == "lr" && Rights.edit.letters == "lrswite")
        #expect(Rights.manage.letters == "lrswipkxte")
        #expect(Rights.edit.isSuperset(of: .view) && Rights.manage.isSuperset(of: .edit))
        #expect(Rights.all.subtracting(.manage) == .administer)
    }

    @Test(arguments: [
        (SendRight.none, SendRight.onBehalf), (.onBehalf, .as), (.none, .as),
    ])
    func `the stronger send right is greater`(weak: SendRight, strong: SendRight) {
        #expect(weak < strong && max(weak, strong) == strong && min(strong, weak) == weak)
    }

    @Test(arguments: [
        ("Café", "Cafe\u{301}"), ("K", "\u{212A}"), ("Akten", "akten"), ("a", "a "), ("", "a"),
    ])
    func `texts that only look alike are two`(one: String, other: String) {
        #expect(ExactText(one) != ExactText(other))
        #expect(Set([ExactText(one), ExactText(other)]).count == 2)
        #expect((ExactText(one) < ExactText(other)) != (ExactText(other) < ExactText(one)))
        #expect(ExactText(one) == ExactText(String(decoding: Array(one.utf8), as: UTF8.self)))
    }

    @Test(arguments: [
        (0, false), (31, false), (32, true), (33, false), (64, false),
    ])
    func `a digest has thirty-two octets`(count: Int, isOne: Bool) {
        let octets = [UInt8](repeating: 7, count: count)
        #expect((MessageDigest(octets: octets) != nil) == isOne)
        #expect(MessageDigest(octets: octets)?.octets == (isOne ? octets : nil))
    }

    @Test func `a transfer begins with nothing sent, and tells everything`() throws {
        let mailbox = Transfer.Mailbox(
            account: AccountID(1),
            folder: try #require(FolderPath(octets: Array("INBOX".utf8))),
            uidValidity: 7
        )
        let transfer = Transfer(
            moves: true,
            source: mailbox,
            uids: [1],
            target: mailbox,
            uidNext: 2
        )
        #expect(transfer.state == .begun && transfer.copies.isEmpty)
        #expect(!transfer.isContested && transfer.recordsCopies)
        #expect(Transfer.State(rawValue: "copied") == .copied)
        #expect(Transfer.State(rawValue: "Copied") == nil)
    }
}
