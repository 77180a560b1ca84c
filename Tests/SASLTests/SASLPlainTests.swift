import SASL
import Testing

@Suite struct SASLPlainTests {
    @Test func `a message is encoded with an empty authzid`() {
        let message = SASLPlain.encode(
            authcid: Array("anna@kanzlei.example".utf8),
            password: Secret(Array("pa ss".utf8))
        )
        #expect(message.value == Array("\0anna@kanzlei.example\0pa ss".utf8))
    }

    @Test(arguments: [
        ("\0anna\0secret", "", "anna", "secret"),
        ("anna\0anna\0secret", "anna", "anna", "secret"),
        ("\0ännchen\0geheim ü", "", "ännchen", "geheim ü"),
    ])
    func `a message is decoded`(
        message: String,
        authzid: String,
        authcid: String,
        password: String
    ) throws {
        let fields = try #require(SASLPlain.decode(Array(message.utf8)))
        #expect(fields.authzid == Array(authzid.utf8))
        #expect(fields.authcid == Array(authcid.utf8))
        #expect(fields.password.value == Array(password.utf8))
    }

    @Test(arguments: [
        "", "\0", "\0\0", "anna\0secret", "\0\0secret", "\0anna\0", "\0anna\0sec\0ret", "\0anna",
        "anna\0anna\0secret\0",
    ])
    func `a message without three fields is refused`(message: String) {
        #expect(SASLPlain.decode(Array(message.utf8)) == nil)
    }

    @Test func `an authcid that is not UTF-8 is refused`() {
        #expect(SASLPlain.decode([0, 0xFF, 0, 0x70]) == nil)
        #expect(SASLPlain.decode([0, 0xC0, 0x80, 0, 0x70]) == nil)
    }

    @Test func `a password may contain octets that are not UTF-8`() throws {
        let fields = try #require(SASLPlain.decode([0, 0x61, 0, 0xFF]))
        #expect(fields.password.value == [0xFF])
    }
}
