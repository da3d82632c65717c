// The language of the page, which Streamlit leaves at English: screen readers choose their voice by it.
export default function ({ data }) { document.documentElement.lang = data.language; }
