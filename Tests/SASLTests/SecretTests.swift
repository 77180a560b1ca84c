import SASL
import Testing

@Suite struct SecretTests {
    private struct Holder {
        var secret: Secret<String>
        var octets: Secret<[UInt8]>
    }

    @Test func `no description of a secret contains its value`() {
        let secret = Secret("s3cret")
        let holder = Holder(secret: secret, octets: Secret([115, 51, 99]))
        var dumped = ""
        dump(holder, to: &dumped)
        let texts = [
            "\(secret)", String(describing: secret), String(reflecting: secret), "\(holder)",
            String(reflecting: holder), "\(Optional(secret) as Any)", "\([secret])", dumped,
        ]
        for text in texts {
            #expect(!text.contains("s3cret"))
            #expect(!text.contains("115"))
        }
        #expect(Mirror(reflecting: secret).children.isEmpty)
    }

    @Test func `secrets are compared by their values`() {
        #expect(Secret("a") == Secret("a"))
        #expect(Secret("a") != Secret("b"))
    }
}
