import COpenSSL
import Cryptography
import Testing

struct SelfTestTests {
    @Test func `the self-test passes with the algorithms of a default OpenSSL`() throws {
        try selfTest()
        #expect(ERR_peek_error() == 0)
    }

    @Test func `a certificate for a host name leaves no error in the queue`() throws {
        ERR_clear_error()
        _ = try DevelopmentAuthority(lifetime: 60).issue(
            authorityName: "An authority",
            names: ["localhost"]
        )
        #expect(ERR_peek_error() == 0)
    }

    @Test func `a common name that is too long is an unusable name`() {
        let name = String(repeating: "a", count: 65)
        #expect(throws: CryptographyError.unusable("no certificate can have the name \(name)")) {
            try DevelopmentAuthority(lifetime: 60).issue(
                authorityName: name,
                names: ["localhost"]
            )
        }
        #expect(ERR_peek_error() == 0)
    }
}
