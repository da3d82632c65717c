// The language of the page, which Streamlit leaves at English: screen readers choose their voice by it.
// The cookie keeps the choice for the next address that is typed; it says nothing of anybody.
export default function ({ data: { language, code } }) {
  document.documentElement.lang = language;
  document.cookie = `xray_language=${code}; Path=/; SameSite=Strict; Max-Age=31536000`;
}
