import SASL
import Testing

/// The messages of OAUTHBEARER and XOAUTH2; `^` stands for %x01.
@Suite struct SASLBearerTests {
    private static func octets(_ text: String) -> [UInt8] {
        text.utf8.map { $0 == UInt8(ascii: "^") ? 1 : $0 }
    }

    /// A message, its user and its token; nil for one that is refused.
    private static let bearer: [(String, String?, String)] = [
        ("n,a=anna@x.test,^auth=Bearer abc.d-e_f~g+/h==^^", "anna@x.test", "abc.d-e_f~g+/h=="),
        ("y,a=anna@x.test,^host=x.test^port=993^auth=bEaReR t^^", "anna@x.test", "t"),
        ("n,a=a=2Cb=3Dc,^auth=Bearer t^^", "a,b=c", "t"),
        ("n,,^auth=Bearer t^^", "", "t"),
        ("n,a=x,^auth=^^", "x", ""),
        ("p=tls-exporter,a=x,^auth=Bearer t^^", nil, ""),
        ("n,a=x,^auth=Bearer t^", nil, ""),
        ("n,a=x,^auth=Bearer t^^^", nil, ""),
        ("n,a=x,^auth=Bearer t^^x", nil, ""),
        ("n,a=x,^auth=Bearer t^auth=Bearer u^^", nil, ""),
        ("n,a=x,^auth=Basic t^^", nil, ""),
        ("n,a=x,^auth=Bearer t u^^", nil, ""),
        ("n,a=x,^auth=Bearer =^^", nil, ""),
        ("n,a=x,^auth=Bearer t\u{E4}^^", nil, ""),
        ("n,a=x,^^", nil, ""),
        ("n,a=x,^", nil, ""),
        ("n,a=x,", nil, ""),
        ("n,a=,^auth=Bearer t^^", nil, ""),
        ("n,b=x,^auth=Bearer t^^", nil, ""),
        ("n,a=x=2c,^auth=Bearer t^^", nil, ""),
        ("n,a=x=,^auth=Bearer t^^", nil, ""),
        ("n,a=x\0,^auth=Bearer t^^", nil, ""),
        ("n,a=x,y,^auth=Bearer t^^", nil, ""),
        ("n,a=x,^=Bearer t^^", nil, ""),
        ("user=x^auth=Bearer t^^", nil, ""),
        ("", nil, ""),
    ]

    @Test(arguments: Self.bearer.indices)
    func `a message of OAUTHBEARER has one user and one token`(index: Int) {
        let (text, user, token) = Self.bearer[index]
        let message = SASLBearer(oauthBearer: Self.octets(text))
        #expect(message?.user == user.map { Array($0.utf8) }, "\(text)")
        if user != nil { #expect(message?.token.value == Array(token.utf8), "\(text)") }
    }

    @Test func `octets that are not UTF-8 are no user`() {
        #expect(
            SASLBearer(oauthBearer: Self.octets("n,a=") + [0xFF] + Self.octets(",^auth=Bearer t^^"))
                == nil
        )
        #expect(
            SASLBearer(xoauth2: Self.octets("user=") + [0xFF] + Self.octets("^auth=Bearer t^^"))
                == nil
        )
    }

    @Test func `a message of XOAUTH2 is the one that the gateway itself sends`() {
        let encoded = SASLXOAUTH2.encode(
            user: Array("anna@x.test".utf8),
            token: Secret(Array("t.u".utf8))
        )
        let message = SASLBearer(xoauth2: encoded.value)
        #expect(
            message?.user == Array("anna@x.test".utf8) && message?.token.value == Array("t.u".utf8)
        )
        for text in [
            "user=^auth=Bearer t^^", "auth=Bearer t^^", "user=a^user=b^auth=Bearer t^^",
            "user=a^auth=Bearer t^",
        ] {
            #expect(SASLBearer(xoauth2: Self.octets(text)) == nil, "\(text)")
        }
    }

    @Test func `no part of a message is a message`() {
        let whole = Self.octets("n,a=anna@x.test,^host=x^auth=Bearer abc^^")
        for count in whole.indices {
            #expect(SASLBearer(oauthBearer: Array(whole[..<count])) == nil, "\(count)")
        }
    }
}
