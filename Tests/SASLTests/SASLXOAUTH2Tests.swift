import SASL
import Testing

@Suite struct SASLXOAUTH2Tests {
    @Test func `a message contains the user and the token`() {
        let message = SASLXOAUTH2.encode(
            user: Array("bob@kanzlei.example".utf8),
            token: Secret(Array("t0k".utf8))
        )
        #expect(
            message.value
                == Array("user=bob@kanzlei.example\u{1}auth=Bearer t0k\u{1}\u{1}".utf8)
        )
    }
}
